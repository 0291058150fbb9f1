import { Button, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { removeDestination, testDestination, ticketing } from "../../api/remediation";
import type { DestinationRow } from "../../api/schema";
import { number } from "../../lib/format";
import { kindWord } from "../../lib/remediation";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Fact, Facts } from "../../ui/Facts";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({ row: { display: "flex", gap: "8px", flexWrap: "wrap" }, bar: { marginBottom: "12px" } });

/** Where a destination is, in one line. */
const place = (d: DestinationRow): string => {
  const c = d.config;
  if (d.kind === "email") return `${(c.to ?? []).join(", ")} over ${c.host ?? ""}:${c.port ?? ""}`;
  return [c.url, c.project].filter(Boolean).join(" · ");
};

/** One place for tickets: how it does, and what can be done with it. */
export function DestinationCard({ d, onEdit }: { d: DestinationRow; onEdit: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [sure, setSure] = useState(false);
  const test = useMutation({ mutationFn: () => testDestination(d.id) });
  const remove = useMutation({ mutationFn: () => removeDestination(d.id), onSuccess: () => client.invalidateQueries({ queryKey: ticketing.queryKey }) });
  const verb = d.kind === "webhook" || d.kind === "email" ? "Send a test to" : "Test";
  const trouble = d.dead > 0 || d.failing > 0;
  return (
    <Card
      title={d.name}
      aside={<Chip tone={!d.enabled ? "quiet" : trouble ? "warn" : "good"}>{!d.enabled ? "Off" : trouble ? "In trouble" : "On"}</Chip>}
      foot={
        <div className={s.row}>
          {sure ? (
            <>
              <span>Forget it and its secret? Activities keep their history; what waits is given up.</span>
              <Button size="small" appearance="primary" disabled={remove.isPending} onClick={() => remove.mutate()}>{`Remove ${d.name}`}</Button>
              <Button size="small" onClick={() => setSure(false)}>Cancel</Button>
            </>
          ) : (
            <>
              <Button size="small" onClick={onEdit} aria-label={`Change ${d.name}`}>Change</Button>
              <Button size="small" disabled={test.isPending} onClick={() => test.mutate()} aria-label={`${verb} ${d.name}`}>{verb.replace(" to", "")}</Button>
              <Button size="small" onClick={() => setSure(true)} aria-label={`Remove ${d.name} …`}>Remove …</Button>
            </>
          )}
        </div>
      }
    >
      {test.data && (
        <MessageBar intent={test.data.ok ? "success" : "error"} layout="multiline" className={s.bar}>
          <MessageBarBody>{`${test.data.text} ${test.data.mend}`}</MessageBarBody>
        </MessageBar>
      )}
      {(test.error ?? remove.error) && <MessageBar intent="error" layout="multiline" className={s.bar}><MessageBarBody>{explain(test.error ?? remove.error)}</MessageBarBody></MessageBar>}
      <Facts>
        <Fact name="Kind">{kindWord(d.kind)}</Fact>
        <Fact name="Delivered">{number(d.sent)}</Fact>
        <Fact name="Waiting">{d.failing > 0 ? `${number(d.pending)}, of those failing: ${number(d.failing)}` : number(d.pending)}</Fact>
        <Fact name="Given up">{number(d.dead)}</Fact>
        <Fact name="Place" wide>{place(d)}</Fact>
        <Fact name="Changed" wide><Ago at={d.updated_at} />{` by ${d.updated_by}`}</Fact>
      </Facts>
    </Card>
  );
}
