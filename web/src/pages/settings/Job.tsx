import { Button, MessageBar, MessageBarBody, MessageBarTitle, ProgressBar, makeStyles, tokens } from "@fluentui/react-components";
import type { JobRow } from "../../api/schema";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  box: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, padding: "14px 18px", display: "flex", flexDirection: "column", gap: "10px" },
  line: { display: "flex", alignItems: "center", gap: "16px" },
  text: { flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
});

/** The work that runs, with its progress, or how the last one ended. */
export function Job({ job, onCancel, cancelling }: { job: JobRow; onCancel: () => void; cancelling: boolean }) {
  const s = useStyles();
  const name = job.kind === "sync" ? "Synchronisation" : job.kind === "import" ? "Import" : job.kind;
  if (job.state === "running") {
    const share = job.of > 0 ? Math.min(job.done / job.of, 1) : undefined;
    return (
      <div className={s.box} role="status">
        <div className={s.line}>
          <span className={s.text}><strong>{`${name} runs`}</strong>{share === undefined ? "" : ` · ${Math.round(share * 100)} %`}{job.text ? ` · ${job.text}` : ""}</span>
          <Button size="small" onClick={onCancel} disabled={cancelling}>Cancel</Button>
        </div>
        <ProgressBar value={share} thickness="large" aria-label={`Progress of the ${name.toLowerCase()}`} />
      </div>
    );
  }
  const words: Record<string, string> = { done: "is done", failed: "failed", cancelled: "was cancelled" };
  return (
    <MessageBar intent={job.state === "failed" ? "error" : job.state === "done" ? "success" : "info"} layout="multiline">
      <MessageBarBody>
        <MessageBarTitle>{`The last ${name.toLowerCase()} ${words[job.state] ?? job.state}.`}</MessageBarTitle> {job.error} <Moment at={job.finished ?? job.started} />
      </MessageBarBody>
    </MessageBar>
  );
}
