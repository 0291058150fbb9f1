import { Button, Field, MessageBar, MessageBarBody, Textarea, makeStyles } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { actionKinds, approval, decide, withdraw } from "../../api/approvals";
import { explain } from "../../api/client";
import { deviceGroups, status } from "../../api/queries";
import type { ApprovalPolicy, ApprovalRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { approvalSubject, ruleText } from "../../app/approvals";
import { auditChanges, type AuditChange } from "../../lib/audit";
import { Fact, Facts, Section } from "../../ui/Facts";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Moment } from "../../ui/Time";
import { ApprovalState } from "./ApprovalsPage";

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "12px" }, row: { display: "flex", gap: "8px" }, list: { margin: 0, paddingLeft: "18px" } });

/** What can be done with a request that waits. */
function Decision({ r }: { r: ApprovalRow }) {
  const s = useStyles();
  const client = useQueryClient();
  const { data: st } = useQuery(status);
  const [note, setNote] = useState("");
  const after = { onSettled: () => client.invalidateQueries({ queryKey: ["approvals"] }).then(() => client.invalidateQueries({ queryKey: status.queryKey })) };
  const go = useMutation({ mutationFn: (approve: boolean) => decide(r.id, approve, note.trim()), ...after });
  const back = useMutation({ mutationFn: () => withdraw(r.id), ...after });
  const wrong = go.error ?? back.error;
  const busy = go.isPending || back.isPending;
  const locked = st?.lockdown !== undefined;
  return (
    <Section title="Decision">
      <div className={s.form}>
        {wrong && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(wrong)}</MessageBarBody></MessageBar>}
        {r.may_decide ? (
          <>
            <Field label="Note" hint="For whoever asked, and for the audit log."><Textarea value={note} maxLength={1000} rows={2} onChange={(_, d) => setNote(d.value)} /></Field>
            <div className={s.row}>
              <Button appearance="primary" disabled={busy || locked} title={locked ? "During a lockdown nothing is approved." : undefined} onClick={() => go.mutate(true)}>Approve and carry out</Button>
              <Button disabled={busy} onClick={() => go.mutate(false)}>Refuse</Button>
            </div>
          </>
        ) : (
          <MessageBar intent="info" layout="multiline"><MessageBarBody>{r.why_not}</MessageBarBody></MessageBar>
        )}
        {r.own && <div><Button disabled={busy} onClick={() => back.mutate()}>Withdraw</Button></div>}
      </div>
    </Section>
  );
}

function Rules({ title, policy }: { title: string; policy: ApprovalPolicy | undefined }) {
  const s = useStyles();
  const { data: kinds } = useQuery(actionKinds);
  const { data: groups } = useQuery(deviceGroups);
  if (!policy) return null;
  return (
    <Section title={title}>
      {policy.rules.length === 0 ? "Nothing has to be approved." : <ul className={s.list}>{policy.rules.map((r) => { const text = ruleText(r, kinds ?? [], groups ?? []); return <li key={text}>{text}</li>; })}</ul>}
    </Section>
  );
}

const changeColumns: readonly PlainColumn<AuditChange>[] = [
  { key: "field", title: "Field", width: "26%", render: (c) => c.field },
  { key: "before", title: "Now", render: (c) => c.before },
  { key: "after", title: "Afterwards", render: (c) => c.after },
];

function Details({ r }: { r: ApprovalRow }) {
  const s = useStyles();
  const changes = auditChanges(r.change).map((c) => ({ ...c, key: c.field, field: r.devices.find((d) => d.id === c.field)?.name ?? c.field }));
  return (
    <>
      {r.state === "pending" && <Decision r={r} />}
      <Section title="Request">
        <Facts>
          <Fact name="State"><ApprovalState state={r.state} /></Fact>
          <Fact name="Asked for by">{r.program ? `${r.requester} (a program)` : r.requester}</Fact>
          <Fact name="Asked"><Moment at={r.created_at} /></Fact>
          <Fact name="Waits until"><Moment at={r.expires_at} /></Fact>
          {r.comment && <Fact name="Comment" wide>{r.comment}</Fact>}
        </Facts>
      </Section>
      {r.devices.length > 0 && (
        <Section title={r.kind === "leave-approval" ? "Devices that would need no approval any more" : "Devices"}>
          <ul className={s.list}>{r.devices.map((d) => <li key={d.id}><Anchor to={`/devices/${encodeURIComponent(d.id)}`}>{d.name}</Anchor>{d.result && ` – ${d.result}`}</li>)}</ul>
        </Section>
      )}
      {changes.length > 0 && <Section title="What changes"><PlainTable label="What changes" columns={changeColumns} rows={changes} rowKey={(c) => c.key} /></Section>}
      <Rules title="Rules now" policy={r.before} />
      <Rules title="Rules afterwards" policy={r.after} />
      {r.ended_at && (
        <Section title="Outcome">
          <Facts>
            {r.decider && <Fact name="Decided by">{r.decider}</Fact>}
            {r.decided_at && <Fact name="Decided"><Moment at={r.decided_at} /></Fact>}
            <Fact name="Ended"><Moment at={r.ended_at} /></Fact>
            {r.note && <Fact name="Note" wide>{r.note}</Fact>}
            {r.result && <Fact name="Result" wide>{r.result}</Fact>}
          </Facts>
        </Section>
      )}
    </>
  );
}

/** One request: what is asked for, and the decision. */
export function ApprovalFlyout({ id, frame }: { id: string; frame: FlyoutFrame }) {
  const { data, error, refetch } = useQuery(approval(id));
  return (
    <Flyout frame={frame} title={data?.name ?? "Request"} subtitle={data ? approvalSubject(data) : undefined} state={{ data, error, refetch }}
      tabs={data ? [{ key: "details", title: "Details", render: () => <Details r={data} /> }] : []} />
  );
}
