import { Button, Field, MessageBar, MessageBarBody, Spinner, Textarea, makeStyles } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keepLockdown, liftLockdown, lockdown, startLockdown } from "../../api/approvals";
import { explain } from "../../api/client";
import { session, status } from "../../api/queries";
import type { Lockdown } from "../../api/schema";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Fact, Facts } from "../../ui/Facts";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({ body: { display: "flex", flexDirection: "column", gap: "14px" }, row: { display: "flex", gap: "8px", flexWrap: "wrap" }, text: { margin: 0 } });

function Body({ l }: { l: Lockdown }) {
  const s = useStyles();
  const client = useQueryClient();
  const { data: me } = useQuery(session);
  const [reason, setReason] = useState("");
  const [sure, setSure] = useState(false);
  const after = {
    onSuccess: (now: Lockdown) => {
      client.setQueryData(lockdown.queryKey, now);
      setSure(false);
      setReason("");
      return client.invalidateQueries({ queryKey: status.queryKey });
    },
  };
  const start = useMutation({ mutationFn: () => startLockdown(reason.trim()), ...after });
  const lift = useMutation({ mutationFn: liftLockdown, ...after });
  const keep = useMutation({ mutationFn: keepLockdown, ...after });
  const wrong = start.error ?? lift.error ?? keep.error;
  const busy = start.isPending || lift.isPending || keep.isPending;
  const mine = l.lifts.some((w) => w.name === me?.username);
  return (
    <div className={s.body}>
      {wrong && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(wrong)}</MessageBarBody></MessageBar>}
      {l.on ? (
        <>
          <Facts>
            <Fact name="Since"><Moment at={l.since} /></Fact>
            <Fact name="Put on by">{l.by}</Fact>
            <Fact name="Reason" wide>{l.reason}</Fact>
            <Fact name="Want to lift it" wide>{l.lifts.length === 0 ? "Nobody yet" : l.lifts.map((w) => w.name).join(", ")}</Fact>
          </Facts>
          <p className={s.text}>It ends when two administrators have said so within 24 hours, each in a session of their own.</p>
          <div className={s.row}>
            {mine ? <Button disabled={busy} onClick={() => keep.mutate()}>Take my word back</Button> : <Button appearance="primary" disabled={busy} onClick={() => lift.mutate()}>{l.lifts.length === 0 ? "Lift the lockdown (1 of 2)" : "Lift the lockdown (2 of 2)"}</Button>}
          </div>
        </>
      ) : (
        <>
          <p className={s.text}>Forbids every action on devices, to everybody: people, programs and the command line. What waits for an approval is cancelled. Agents go on reporting. One administrator puts it on; two lift it.</p>
          <Field label="Reason" required hint="Everybody reads it at the top of every page."><Textarea value={reason} maxLength={1000} rows={2} onChange={(_, d) => setReason(d.value)} /></Field>
          <div className={s.row}>
            {sure ? (
              <>
                <Button appearance="primary" disabled={busy} onClick={() => start.mutate()}>Yes, lock down now</Button>
                <Button onClick={() => setSure(false)}>Cancel</Button>
              </>
            ) : <Button disabled={reason.trim() === ""} onClick={() => setSure(true)}>Lock down …</Button>}
          </div>
        </>
      )}
    </div>
  );
}

/** Whether a lockdown holds, and how it is put on and lifted. */
export function LockdownCard() {
  const { data, error } = useQuery(lockdown);
  return (
    <Card title="Lockdown" aside={data && <Chip tone={data.on ? "bad" : "quiet"}>{data.on ? "On" : "Off"}</Chip>}>
      {data ? <Body l={data} /> : error ? explain(error) : <Spinner label="Reading …" />}
    </Card>
  );
}
