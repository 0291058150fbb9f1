import { Button } from "@fluentui/react-components";
import { FlagRegular } from "@fluentui/react-icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { address } from "../../api/client";
import { inaccuracies, setInaccuracyStatus } from "../../api/settings";
import type { InaccuracyRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { PageHead } from "../../app/PageHead";
import { productPath } from "../../lib/product";
import type { ListSpec } from "../../lib/search";
import { inaccuracyKinds, inaccuracyWord } from "../../lib/words";
import { Chip } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Moment } from "../../ui/Time";

const spec: ListSpec = { filters: { status: ["open", "resolved"], kind: Object.keys(inaccuracyKinds) }, sorts: ["at", "title", "kind", "status", "changed"], sort: ["-at"] };
const groups: readonly FilterGroup[] = [
  { name: "status", title: "Status", options: [{ value: "open", label: "Open" }, { value: "resolved", label: "Resolved" }] },
  { name: "kind", title: "About", options: Object.entries(inaccuracyKinds).map(([value, label]) => ({ value, label })) },
];

function subject(r: InaccuracyRow) {
  const to: Record<string, [string, Record<string, string>]> = {
    software: [productPath(r.subject), {}],
    weakness: ["/weaknesses", { open: r.subject, q: r.subject, exposed: "any" }],
    recommendation: ["/recommendations", { open: r.subject, q: r.subject }],
  };
  const [path, search] = to[r.kind] ?? ["/", {}];
  return <Anchor to={path} search={search}>{r.title || r.subject}</Anchor>;
}

function Actions({ r }: { r: InaccuracyRow }) {
  const client = useQueryClient();
  const next = r.status === "open" ? "resolved" : "open";
  const set = useMutation({ mutationFn: () => setInaccuracyStatus(r.id, next), onSettled: () => client.invalidateQueries({ queryKey: ["inaccuracies"] }) });
  return (
    <span style={{ display: "inline-flex", gap: 12, alignItems: "center" }}>
      <Button size="small" disabled={set.isPending} onClick={() => set.mutate()} aria-label={`${next === "open" ? "Reopen" : "Resolve"} report ${r.id}`}>{next === "open" ? "Reopen" : "Resolve"}</Button>
      <a href={address(`/inaccuracies/${encodeURIComponent(r.id)}/file`, {})} download aria-label={`Download report ${r.id}`}>Download</a>
    </span>
  );
}

const columns: readonly Column<InaccuracyRow>[] = [
  { key: "title", title: "About", width: 160, wrap: true, sort: { key: "title", first: "asc" }, render: subject },
  { key: "kind", title: "Kind", width: 130, wrap: true, sort: { key: "kind", first: "asc" }, render: (r) => inaccuracyKinds[r.kind] ?? r.kind },
  { key: "category", title: "What is wrong", width: 170, wrap: true, render: (r) => inaccuracyWord(r.category) },
  { key: "details", title: "Details", width: 190, grow: true, render: (r) => <span title={r.details}>{r.details}</span> },
  { key: "status", title: "Status", width: 100, sort: { key: "status", first: "asc" }, render: (r) => <Chip tone={r.status === "open" ? "warn" : "good"}>{r.status === "open" ? "Open" : "Resolved"}</Chip> },
  { key: "at", title: "Reported", width: 126, wrap: true, sort: { key: "at", first: "desc" }, render: (r) => <Moment at={r.at} /> },
  { key: "by", title: "By", width: 90, wrap: true, render: (r) => r.by },
  { key: "actions", title: "Actions", width: 170, render: (r) => <Actions r={r} /> },
  { key: "changed", title: "Status since", width: 170, optional: true, sort: { key: "changed", first: "desc" }, render: (r) => <Moment at={r.changed} /> },
  { key: "changed_by", title: "Status by", width: 120, optional: true, render: (r) => r.changed_by },
];

/** What people reported as inaccurate, to be looked into or sent to the maintainers. */
export function InaccuraciesPage() {
  return (
    <PageHead title="Reported inaccuracies" text="What was reported as wrong, with the evidence of that moment. Nothing is sent by itself: download a report and send it to the maintainers of Picket if you like.">
      <ListView
        name="inaccuracies"
        label="Reported inaccuracies"
        spec={spec}
        groups={groups}
        columns={columns}
        query={inaccuracies}
        rowKey={(r) => r.id}
        searchLabel="Search reports"
        exportPath="/inaccuracies"
        empty={<Empty icon={<FlagRegular />} title="Nothing was reported">“Report inaccuracy” is on the page of each product, and in the flyouts of software, weaknesses and recommendations.</Empty>}
      />
    </PageHead>
  );
}
