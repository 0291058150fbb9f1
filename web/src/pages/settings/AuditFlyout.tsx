import type { AuditRow } from "../../api/schema";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { auditAction, auditChanges, auditKinds, type AuditChange } from "../../lib/audit";
import { number } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import { Fact, Facts, Section } from "../../ui/Facts";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Moment } from "../../ui/Time";

const outcomes = { done: ["Done", "good"], denied: ["Denied", "bad"], failed: ["Failed", "warn"] } as const;

/** How a request ended, as a chip. */
export function Outcome({ outcome }: { outcome: AuditRow["outcome"] }) {
  const [word, tone] = outcomes[outcome];
  return <Chip tone={tone}>{word}</Chip>;
}

const columns: readonly PlainColumn<AuditChange>[] = [
  { key: "field", title: "Field", width: "26%", render: (c) => c.field },
  { key: "before", title: "Before", render: (c) => c.before },
  { key: "after", title: "After", render: (c) => c.after },
];

function Details({ row }: { row: AuditRow }) {
  const changes = auditChanges(row.detail);
  return (
    <>
      <Section title="What happened">
        <Facts>
          <Fact name="When"><Moment at={row.at} /></Fact>
          <Fact name="Outcome"><Outcome outcome={row.outcome} /></Fact>
          <Fact name="Who">{row.actor || "not known"}</Fact>
          <Fact name="Kind">{auditKinds[row.kind]}</Fact>
          {row.not_listed > 0 && <Fact name="Before, not listed">{number(row.not_listed)}</Fact>}
          {row.remote && <Fact name="From">{row.remote}</Fact>}
          {row.object && <Fact name="On" wide><Mono>{row.object}</Mono></Fact>}
        </Facts>
      </Section>
      {changes.length > 0 && (
        <Section title={row.outcome === "done" ? "What changed" : "What was to change"}>
          <PlainTable label="What changed" columns={columns} rows={changes} rowKey={(c) => c.field} />
        </Section>
      )}
      <Section title="Proof">
        <Facts>
          <Fact name="Number">{row.id}</Fact>
          {row.status > 0 && <Fact name="Status">{row.status}</Fact>}
          {row.request && <Fact name="Request" wide><Mono>{row.request}</Mono></Fact>}
          <Fact name="Hash" wide><Mono>{row.hash}</Mono></Fact>
        </Facts>
      </Section>
    </>
  );
}

/** One entry of the audit log, with what was before and after. */
export function AuditFlyout({ row, frame }: { row: AuditRow | undefined; frame: FlyoutFrame }) {
  return (
    <Flyout frame={frame} title={row ? auditAction(row.action) : "Entry"} state={{ data: row, error: null, refetch: () => undefined }}
      tabs={row ? [{ key: "details", title: "Details", render: () => <Details row={row} /> }] : []} />
  );
}
