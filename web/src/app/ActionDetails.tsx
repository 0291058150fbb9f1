import { Button, Field, MessageBar, MessageBarBody, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../api/client";
import { cancelAction, packageAddress } from "../api/machineActions";
import type { MachineAction } from "../api/schema";
import { bytes, number, plural } from "../lib/format";
import { statusMeans } from "../lib/machineActions";
import { Fact, Facts, Section } from "../ui/Facts";
import { PlainTable, type PlainColumn } from "../ui/PlainTable";
import { Moment } from "../ui/Time";
import { ActionStatus } from "./ActionStatus";
import { Anchor } from "./Anchor";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "10px" },
  row: { display: "flex", gap: "8px", flexWrap: "wrap", alignItems: "flex-start", marginBottom: "18px" },
  wrong: { color: tokens.colorStatusDangerForeground1, overflowWrap: "anywhere" },
  text: { overflowWrap: "anywhere", whiteSpace: "pre-wrap" },
});

/** Takes an action back: asks for the reason first. */
function Cancel({ a }: { a: MachineAction }) {
  const s = useStyles();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [comment, setComment] = useState("");
  const [missing, setMissing] = useState(false);
  const go = useMutation({ mutationFn: () => cancelAction(a.id, comment.trim()), onSettled: () => client.invalidateQueries({ queryKey: ["machineActions"] }) });
  if (!asking) return <Button onClick={() => setAsking(true)}>Cancel action</Button>;
  const submit = () => {
    setMissing(comment.trim() === "");
    if (comment.trim() !== "") go.mutate();
  };
  return (
    <div className={s.form}>
      {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      <Field label="Why it is cancelled" required validationState={missing ? "error" : "none"} validationMessage={missing ? "Say why." : undefined}>
        <Textarea value={comment} maxLength={1000} rows={2} onChange={(_, d) => { setComment(d.value); setMissing(false); }} />
      </Field>
      <div className={s.row}>
        <Button appearance="primary" disabled={go.isPending || go.isSuccess} onClick={submit}>Cancel action</Button>
        <Button onClick={() => setAsking(false)}>Keep it</Button>
      </div>
    </div>
  );
}

type Detection = NonNullable<NonNullable<NonNullable<MachineAction["result"]>["scan"]>["detections"]>[number];
const detections: readonly PlainColumn<Detection>[] = [
  { key: "signature", title: "Found", width: "38%", render: (d) => d.signature },
  { key: "path", title: "File", render: (d) => <span title={d.sha256}>{d.path}</span> },
];

function Result({ a }: { a: MachineAction }) {
  const scan = a.result?.scan;
  const pack = a.result?.package;
  if (scan) {
    return (
      <Section title="Result">
        <Facts>
          <Fact name="Found">{(scan.detections?.length ?? 0) + (scan.more ?? 0) === 0 ? "Nothing" : plural((scan.detections?.length ?? 0) + (scan.more ?? 0), "detection")}</Fact>
          <Fact name="Files looked at">{number(scan.files)}</Fact>
          <Fact name="Engine">{scan.engine}</Fact>
          <Fact name="Signatures">{scan.signatures && <Moment at={scan.signatures} />}</Fact>
          {(scan.skipped ?? []).length > 0 && <Fact name="Not looked at" wide>{(scan.skipped ?? []).map((k) => `${number(k.files)}: ${k.reason}`).join("; ")}</Fact>}
          {scan.ended && <Fact name="Ended early" wide>{scan.ended}</Fact>}
        </Facts>
        {(scan.detections ?? []).length > 0 && <PlainTable label="Detections" columns={detections} rows={scan.detections ?? []} rowKey={(d) => `${d.path} ${d.signature}`} />}
      </Section>
    );
  }
  if (!pack) return null;
  return (
    <Section title="Package">
      <Facts>
        <Fact name="Size">{bytes(pack.bytes)}</Fact>
        <Fact name="Items">{`${number(pack.items)}${pack.missing > 0 ? `, ${number(pack.missing)} of them could not be had whole` : ""}`}</Fact>
        <Fact name="SHA-256" wide>{pack.sha256}</Fact>
        {pack.note && <Fact name="Missing" wide>{pack.note}</Fact>}
        {a.package?.gone && <Fact name="Deleted" wide>{a.package.gone}</Fact>}
      </Facts>
    </Section>
  );
}

/** Everything that is known of one action, and what can be done with it. `connected`: its agent is. */
export function ActionDetails({ a, connected }: { a: MachineAction; connected: boolean }) {
  const s = useStyles();
  const there = a.package !== undefined && !a.package.gone;
  const means = a.waits ? "" : statusMeans(a.status, connected);
  return (
    <>
      {(a.may_cancel || there) && (
        <div className={s.row}>
          {there && <Button as="a" appearance="primary" href={packageAddress(a.id)} download>Download package</Button>}
          {a.may_cancel && <Cancel a={a} />}
        </div>
      )}
      <Section title="Action">
        <Facts>
          <Fact name="State"><ActionStatus action={a} /></Fact>
          <Fact name="Device"><Anchor to={`/devices/${encodeURIComponent(a.device_id)}`}>{a.device_name}</Anchor></Fact>
          {a.kind === "scan" && <Fact name="Extent">{a.scope}</Fact>}
          {a.investigation && <Fact name="Investigation"><Anchor to={`/investigations/${a.investigation}`}>{`Investigation ${a.investigation}`}</Anchor></Fact>}
          {a.until && <Fact name="Ends by itself"><Moment at={a.until} /></Fact>}
          {means && <Fact name="What it waits for" wide>{means}</Fact>}
          {a.waits && <Fact name="Waits for" wide><Anchor to="/approvals" search={{ open: a.approval ?? "" }}>the approval of somebody else</Anchor></Fact>}
          {a.error && <Fact name={a.status === "InProgress" ? "So far" : "Why"} wide><span className={a.status === "Failed" || a.status === "TimeOut" ? s.wrong : s.text}>{a.error}</span></Fact>}
          <Fact name="Submitted by">{a.program ? `${a.requester} (a program)` : a.requester}</Fact>
          <Fact name="Submitted"><Moment at={a.created_at} /></Fact>
          {a.started_at && <Fact name="Began"><Moment at={a.started_at} /></Fact>}
          {a.ended_at ? <Fact name="Ended"><Moment at={a.ended_at} /></Fact> : <Fact name="Last change"><Moment at={a.updated_at} /></Fact>}
          <Fact name="Comment" wide><span className={s.text}>{a.comment}</span></Fact>
          {!a.waits && a.approval && <Fact name="Approval" wide><Anchor to="/approvals" search={{ open: a.approval, state: "any" }}>The request and who approved it</Anchor></Fact>}
          {a.cancel && <Fact name="Cancelled by" wide><span className={s.text}>{`${a.cancel.by}: ${a.cancel.comment}`}</span></Fact>}
        </Facts>
      </Section>
      <Result a={a} />
    </>
  );
}
