import { MessageBar, MessageBarActions, MessageBarBody, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { remediation, retryTicket } from "../../api/remediation";
import type { Remediation, TicketRow } from "../../api/schema";
import { Outside } from "../../app/Anchor";
import { MayButton } from "../../app/MayButton";
import { plural } from "../../lib/format";
import { kindWord, ticketWord } from "../../lib/remediation";
import { Empty } from "../../ui/Empty";
import { Fact, Facts } from "../../ui/Facts";
import { TicketChip } from "../../ui/Remediation";
import { Ago, Moment } from "../../ui/Time";

const useStyles = makeStyles({
  card: { padding: "14px 16px", marginBottom: "12px", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge },
  head: { display: "flex", gap: "10px", alignItems: "center", marginBottom: "10px" },
  name: { margin: 0, flexGrow: 1, fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  error: { marginTop: "10px" },
  note: { margin: "0 0 14px", color: tokens.colorNeutralForeground2 },
});

const events: Record<string, string> = { created: "Request", completed: "Completion", reopened: "Re-opening" };

/** The state of one message in the words of ticketWord. */
const stateOf = (t: TicketRow): string => (t.state === "pending" && t.error !== "" ? "failing" : t.state === "sent" && t.phase !== "" ? t.phase : t.state);

function Ticket({ id, t }: { id: string; t: TicketRow }) {
  const s = useStyles();
  const client = useQueryClient();
  const go = useMutation({ mutationFn: () => retryTicket(id, t.id), onSuccess: (now) => client.setQueryData(remediation(id).queryKey, now) });
  const trouble = t.error !== "" && t.state !== "sent";
  return (
    <div className={s.card} role="group" aria-label={`${t.destination}: ${events[t.event] ?? t.event}`}>
      <div className={s.head}>
        <h3 className={s.name}>{t.destination}</h3>
        <TicketChip value={stateOf(t)} />
      </div>
      <Facts>
        <Fact name="Kind">{kindWord(t.kind)}</Fact>
        <Fact name="About">{events[t.event] ?? t.event}</Fact>
        <Fact name="Ticket">{t.ref !== "" && (t.url !== "" ? <Outside href={t.url}>{t.kind === "servicenow" ? "Open the record" : t.ref}</Outside> : t.ref)}</Fact>
        <Fact name="State there">{t.word}</Fact>
        <Fact name="Sent">{t.sent_at && <Moment at={t.sent_at} />}</Fact>
        <Fact name="State asked for">{t.asked_at && <Ago at={t.asked_at} />}</Fact>
        <Fact name="Attempts">{t.attempts > 1 || trouble ? plural(t.attempts, "attempt") : ""}</Fact>
        <Fact name="Next attempt">{t.state === "pending" && t.attempts > 0 && t.next_at && <Moment at={t.next_at} />}</Fact>
        <Fact name="Given up after">{t.state === "pending" && trouble && t.until && <Moment at={t.until} />}</Fact>
      </Facts>
      {(trouble || t.ask_error !== "") && (
        <MessageBar intent={t.state === "dead" ? "error" : "warning"} layout="multiline" className={s.error}>
          <MessageBarBody>{trouble ? `${t.error} ${t.mend}` : `Its state could not be read: ${t.ask_error}`}</MessageBarBody>
          {trouble && <MessageBarActions><MayButton rights={["remediate.remediation"]} size="small" disabled={go.isPending} onClick={() => go.mutate()}>Retry now</MayButton></MessageBarActions>}
        </MessageBar>
      )}
      {go.error && <MessageBar intent="error" layout="multiline" className={s.error}><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
    </div>
  );
}

/** What went to other systems, and what they say. */
export function Tickets({ d }: { d: Remediation }) {
  const s = useStyles();
  if (d.tickets.length === 0) return <Empty small title="No ticket was asked for">This activity is only tracked. Places for tickets are set up under Settings › Ticketing and chosen when remediation is requested.</Empty>;
  return (
    <>
      <p className={s.note}>{d.tickets.some((t) => t.phase === "closed") && d.status === "Active" ? "A ticket is closed, and the devices do not say yet that the work is done." : ticketWord(d.ticket).means}</p>
      {d.tickets.map((t) => <Ticket key={t.id} id={d.id} t={t} />)}
    </>
  );
}
