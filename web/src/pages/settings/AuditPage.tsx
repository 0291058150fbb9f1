import { ClipboardTextLtrRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { auditLog, auditWords } from "../../api/settings";
import type { AuditRow } from "../../api/schema";
import { ListView } from "../../app/ListView";
import { PageHead } from "../../app/PageHead";
import { auditAction, auditKinds } from "../../lib/audit";
import type { ListSpec } from "../../lib/search";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Moment } from "../../ui/Time";
import { AuditFlyout, Outcome } from "./AuditFlyout";

const spec: ListSpec = { filters: { outcome: ["done", "denied", "failed"], actor: "any", action: "any", object: "any", remote: "any", from: "any", to: "any" }, sorts: ["at"], sort: ["-at"] };

const same = (v: string) => ({ value: v, label: v });

/** The filters, with who and what is in the log. */
function useFilters(): FilterGroup[] {
  const { data: words } = useQuery(auditWords);
  const actions = (words?.actions ?? []).map((v) => ({ value: v, label: auditAction(v) })).sort((a, b) => a.label.localeCompare(b.label));
  return [
    { name: "outcome", title: "Outcome", options: [{ value: "done", label: "Done" }, { value: "denied", label: "Denied" }, { value: "failed", label: "Failed" }] },
    { name: "from", title: "Not before", options: [], moment: true },
    { name: "to", title: "Before", options: [], moment: true },
    { name: "object", title: "On", options: [], free: { hint: "Id of what it is about" } },
    { name: "actor", title: "Who", options: (words?.actors ?? []).map(same), free: { hint: "Name" } },
    { name: "remote", title: "From", options: (words?.remotes ?? []).map(same), free: { hint: "Address" } },
    { name: "action", title: "What", options: actions },
  ];
}

const columns: readonly Column<AuditRow>[] = [
  { key: "at", title: "When", width: 210, sort: { key: "at", first: "desc" }, render: (r) => <Moment at={r.at} /> },
  { key: "actor", title: "Who", width: 170, render: (r) => <span title={auditKinds[r.kind]}>{r.actor || "not known"}</span> },
  { key: "action", title: "What", width: 240, render: (r) => auditAction(r.action) },
  { key: "object", title: "On", width: 220, grow: true, render: (r) => <span title={r.object}>{r.object}</span> },
  { key: "outcome", title: "Outcome", width: 110, render: (r) => <Outcome outcome={r.outcome} /> },
  { key: "remote", title: "From", width: 150, render: (r) => r.remote },
  { key: "id", title: "Number", width: 90, optional: true, render: (r) => r.id },
  { key: "request", title: "Request", width: 240, optional: true, render: (r) => r.request },
];

/** Who changed what, and who was refused: nothing in it can be changed without being found out. */
export function AuditPage() {
  const groups = useFilters();
  return (
    <PageHead title="Audit log" text="Every change, by whom, from where, with what was before and after, and every request that was refused. Entries are linked by hashes: picket audit verify shows that none was changed or taken out.">
      <ListView
        name="audit"
        label="Audit log"
        spec={spec}
        groups={groups}
        columns={columns}
        query={auditLog}
        rowKey={(r) => r.id}
        flyout={(id, frame, row) => <AuditFlyout key={id} row={row} frame={frame} />}
        searchLabel="Search the audit log"
        exportPath="/audit"
        empty={<Empty icon={<ClipboardTextLtrRegular />} title="Nothing is recorded here">Changes and refused requests appear as they happen.</Empty>}
      />
    </PageHead>
  );
}
