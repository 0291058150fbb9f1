import { Button, Field, MessageBar, MessageBarBody, Select, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../api/client";
import { reportInaccuracy } from "../api/settings";
import { inaccuracyCategories, inaccuracyWord } from "../lib/words";
import { Panel } from "../ui/Panel";
import { Anchor } from "./Anchor";
import type { ReportKind } from "./ReportButton";
import { useMay } from "./useMay";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "18px" },
  text: { margin: 0, color: tokens.colorNeutralForeground2, lineHeight: tokens.lineHeightBase400 },
});

const most = 4000;

/** The form of a report: what is wrong, in a category and in words. */
export function ReportForm({ kind, subject, name, onClose }: { kind: ReportKind; subject: string; name: string; onClose: () => void }) {
  const s = useStyles();
  const [category, setCategory] = useState(inaccuracyCategories[kind][0] ?? "other");
  const [details, setDetails] = useState("");
  const { may: manages } = useMay("settings.security");
  const go = useMutation({ mutationFn: () => reportInaccuracy({ kind, subject, category, details: details.trim() }) });
  return (
    <Panel
      title="Report inaccuracy"
      label="Report inaccuracy"
      subtitle={<span>{name}</span>}
      width={480}
      onClose={onClose}
      footer={
        go.isSuccess ? (
          <Button appearance="primary" onClick={onClose}>Close</Button>
        ) : (
          <>
            <Button appearance="primary" disabled={go.isPending || details.trim() === ""} onClick={() => go.mutate()}>Save report</Button>
            <Button onClick={onClose}>Cancel</Button>
          </>
        )
      }
    >
      {go.isSuccess ? (
        <MessageBar intent="success" layout="multiline">
          <MessageBarBody>
            The report is saved with what Picket knows of this now. Nothing was sent:{" "}
            {manages ? <>you find it under <Anchor to="/settings/inaccuracies">Settings, Reported inaccuracies</Anchor> and can download it there for the maintainers.</> : "those who manage security settings see it under Settings, Reported inaccuracies."}
          </MessageBarBody>
        </MessageBar>
      ) : (
        <div className={s.form}>
          <p className={s.text}>The report is kept on this server, together with the evidence as Picket knows it: software, versions, advisories and the rules that decided, without names of devices. It is sent nowhere by itself.</p>
          <Field label="What is wrong">
            <Select value={category} onChange={(_, d) => setCategory(d.value)}>
              {inaccuracyCategories[kind].map((c) => <option key={c} value={c}>{inaccuracyWord(c)}</option>)}
            </Select>
          </Field>
          <Field label="Details" required hint={`How one can tell; ${details.length} of ${most} characters`}>
            <Textarea value={details} maxLength={most} rows={8} resize="vertical" onChange={(_, d) => setDetails(d.value)} />
          </Field>
          {go.error && <MessageBar intent="error"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
        </div>
      )}
    </Panel>
  );
}
