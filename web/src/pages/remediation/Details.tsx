import { makeStyles, tokens } from "@fluentui/react-components";
import type { Remediation } from "../../api/schema";
import { Steps } from "../../app/Advice";
import { AssociatedAlerts } from "../../app/AssociatedAlerts";
import { Anchor } from "../../app/Anchor";
import { date, number } from "../../lib/format";
import { targetNames, targetWord, type Counts } from "../../lib/remediation";
import { Chip } from "../../ui/Chip";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Progress, TicketChip } from "../../ui/Remediation";
import { Remedy } from "../../ui/Remedy";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  text: { margin: "0 0 16px", lineHeight: tokens.lineHeightBase400, overflowWrap: "anywhere", whiteSpace: "pre-wrap" },
  parts: { display: "flex", flexWrap: "wrap", gap: "8px 16px", marginTop: "12px" },
  part: { display: "inline-flex", gap: "6px", alignItems: "center" },
  quiet: { color: tokens.colorNeutralForeground2, margin: 0 },
});

/** How far the targets are, part by part. */
function Parts({ p }: { p: Counts }) {
  const s = useStyles();
  return (
    <div className={s.parts}>
      {targetNames.map((name) => {
        const n = p[name as keyof Counts];
        const w = targetWord(name);
        return n > 0 && <span key={name} className={s.part}><Chip tone={w.tone} title={w.means}>{w.word}</Chip>{number(n)}</span>;
      })}
    </div>
  );
}

/** What was asked for, and how far it is. */
export function Details({ d }: { d: Remediation }) {
  const s = useStyles();
  return (
    <>
      <Section title="Progress">
        {d.tracked ? (
          <>
            <Progress row={d} tall />
            <Parts p={d.progress} />
          </>
        ) : (
          <p className={s.quiet}>There is no fix whose installation could be measured. Somebody marks this activity as completed when the work is done.</p>
        )}
      </Section>
      <Section title="Request">
        <Facts>
          <Fact name="Remediation type"><Remedy type={d.type} /></Fact>
          <Fact name="Due date">{d.due === "" ? "None" : `${date(d.due)}${d.overdue ? " (overdue)" : ""}`}</Fact>
          <Fact name="Device groups">{d.device_groups.length > 0 ? d.device_groups.join(", ") : "All exposed devices"}</Fact>
          {d.unnoticed && <Fact name="User impact">Only devices without</Fact>}
          {d.plan && <Fact name="Patch plan">{d.plan.id === "" ? `${d.plan.name} (not there any more)` : <Anchor to="/recommendations/plans" search={{ open: d.plan.id }}>{d.plan.name}</Anchor>}</Fact>}
          <Fact name="Requested by">{d.created_by}</Fact>
          <Fact name="Requested"><Moment at={d.created_at} /></Fact>
          <Fact name="Tickets"><TicketChip value={d.ticket} /></Fact>
          {d.status === "Completed" && <Fact name="Completed by">{d.completed_by}</Fact>}
          {d.status === "Completed" && <Fact name="Completed"><Moment at={d.status_at} /></Fact>}
          <Fact name="Notes" wide>{d.notes && <span className={s.text}>{d.notes}</span>}</Fact>
        </Facts>
      </Section>
      <Section title="Description"><p className={s.text}>{d.description}</p></Section>
      {d.steps.length > 0 && <Section title="What to do"><Steps steps={d.steps} /></Section>}
      {d.recommendation_open && <AssociatedAlerts of={{ recommendation: d.recommendation_id }} />}
    </>
  );
}
