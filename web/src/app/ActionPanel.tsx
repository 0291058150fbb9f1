import { Button, Field, MessageBar, MessageBarBody, Radio, RadioGroup, Select, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../api/client";
import { submitActions } from "../api/machineActions";
import { status } from "../api/queries";
import { plural } from "../lib/format";
import { after, kindWords, lengths, type Kind } from "../lib/machineActions";
import { Panel } from "../ui/Panel";
import { Section } from "../ui/Facts";
import { ActionResults } from "./ActionResults";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "18px" },
  means: { margin: "0 0 8px" },
  devices: { margin: 0, paddingLeft: "18px", maxHeight: "160px", overflowY: "auto" },
  note: { color: tokens.colorNeutralForeground3 },
});

/**
 * Asks for an action on devices, and shows what became of that on each of them.
 * `approval`: whether it waits for somebody else; undefined where that is not known before.
 */
export function ActionPanel({ kind, devices, approval, onClose, onDone }: { kind: Kind; devices: readonly { id: string; name: string; connected: boolean }[]; approval?: boolean; onClose: () => void; onDone: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const { data: st } = useQuery(status);
  const [comment, setComment] = useState("");
  const [missing, setMissing] = useState(false);
  const [extent, setExtent] = useState<"Quick" | "Full">("Quick");
  const [hours, setHours] = useState("0");
  const words = kindWords[kind];
  const [only] = devices;
  const name = devices.length === 1 && only ? only.name : plural(devices.length, "device");
  const go = useMutation({
    mutationFn: () => submitActions({ devices: devices.map((d) => d.id), kind, comment: comment.trim(), scope: kind === "scan" ? extent : undefined, until: kind === "isolate" ? after(Number(hours), new Date()) : undefined }),
    onSettled: () => client.invalidateQueries(),
  });
  const away = devices.some((d) => !d.connected);
  const locked = st?.lockdown !== undefined;
  const submit = () => {
    setMissing(comment.trim() === "");
    if (comment.trim() !== "") go.mutate();
  };
  return (
    <Panel
      title={`${words.name}: ${name}`}
      label={words.name}
      width={480}
      onClose={go.isSuccess ? onDone : onClose}
      footer={go.isSuccess ? <Button appearance="primary" onClick={onDone}>Close</Button> : (
        <>
          <Button appearance="primary" disabled={locked || go.isPending} onClick={submit}>{words.name}</Button>
          <Button onClick={onClose}>Cancel</Button>
        </>
      )}
    >
      {go.data ? <ActionResults answers={go.data} devices={devices} /> : (
        <div className={s.form}>
          {approval && <MessageBar intent="info" layout="multiline"><MessageBarBody>Somebody else has to approve this first: nothing is sent to the device before.</MessageBarBody></MessageBar>}
          {locked && <MessageBar intent="warning" layout="multiline"><MessageBarBody>Lockdown: nothing can be done on devices.</MessageBarBody></MessageBar>}
          {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
          <Section title="What happens">{words.means.map((m) => <p key={m} className={s.means}>{m}</p>)}</Section>
          {devices.length > 1 && <Section title={plural(devices.length, "device")}><ul className={s.devices}>{devices.map((d) => <li key={d.id}>{d.name}</li>)}</ul></Section>}
          {kind === "scan" && (
            <Field label="Extent">
              <RadioGroup value={extent} onChange={(_, d) => setExtent(d.value === "Full" ? "Full" : "Quick")}>
                <Radio value="Quick" label="Quick: programs that run or start by themselves, temporary and home directories" />
                <Radio value="Full" label="Full: every local file system; it can take hours" />
              </RadioGroup>
            </Field>
          )}
          {kind === "isolate" && (
            <Field label="Ends" hint="By itself, also when the agent does not answer any more.">
              <Select value={hours} onChange={(_, d) => setHours(d.value)}>{lengths.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</Select>
            </Field>
          )}
          <Field label="Comment" required hint="Why: for the Action center, the audit log, and whoever has to approve it." validationState={missing ? "error" : "none"} validationMessage={missing ? "Say why this is done." : undefined}>
            <Textarea value={comment} maxLength={1000} rows={3} onChange={(_, d) => { setComment(d.value); setMissing(false); }} />
          </Field>
          {(away || approval === undefined) && (
            <div className={s.note}>{[away ? "A device whose agent is away gets it when the agent comes, within 3 days." : "", approval === undefined ? "Where rules of approval ask for it, somebody else has to agree first." : ""].filter(Boolean).join(" ")}</div>
          )}
        </div>
      )}
    </Panel>
  );
}
