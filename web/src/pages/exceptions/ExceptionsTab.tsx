import { ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { vexDocument } from "../../api/exchange";
import { exceptions } from "../../api/queries";
import type { ExceptionRow } from "../../api/schema";
import { Anchor, OpenLink } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { exceptionStatus, exceptionStatuses, justification, justifications, kinds, scopeWord, scopes } from "../../lib/exception";
import { number, plural } from "../../lib/format";
import type { ListSpec, RawSearch } from "../../lib/search";
import { Chip } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Day } from "../../ui/Time";
import { ExceptionFlyout } from "./ExceptionFlyout";

const spec: ListSpec = {
  filters: { status: exceptionStatuses, justification: justifications, kind: kinds, scope: scopes, source: "any", document: "any" },
  sorts: ["name", "status", "justification", "scope", "created_at", "created_by", "expires_at", "kind", "exposed"],
  sort: ["-created_at"],
  extra: ["tab"],
};

const groups: readonly FilterGroup[] = [
  { name: "status", title: "Status", options: exceptionStatuses.map((v) => ({ value: v, label: exceptionStatus(v).word })) },
  { name: "justification", title: "Justification", options: justifications.map((v) => ({ value: v, label: justification(v).word })) },
  { name: "kind", title: "What it is about", options: kinds.map((v) => ({ value: v, label: v })) },
  { name: "scope", title: "Where it holds", options: scopes.map((v) => ({ value: v, label: scopeWord(v) })) },
  { name: "source", title: "Source", options: [{ value: "Manual", label: "Manual" }], free: { hint: "OpenVEX" } },
];

/** The filters, with the document that the address names. */
function useFilters(): readonly FilterGroup[] {
  const { document: id = "" }: RawSearch = useSearch({ strict: false });
  const { data } = useQuery({ ...vexDocument(id), enabled: id !== "" });
  return id === "" ? groups : [...groups, { name: "document", title: "VEX document", options: [{ value: id, label: data ? data.title || data.document : id }] }];
}

function Where({ r }: { r: ExceptionRow }) {
  if (r.scope === "DeviceGroups") return <>{plural(r.groups, "device group")}</>;
  return <>{r.scope === "Devices" ? plural(r.devices, "device") : "Everywhere"}</>;
}

function Status({ r }: { r: ExceptionRow }) {
  const w = exceptionStatus(r.status);
  return <Chip tone={w.tone} title={r.why || w.means}>{w.word}</Chip>;
}

const columns: readonly Column<ExceptionRow>[] = [
  { key: "name", title: "Exception", width: 170, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.name}</OpenLink> },
  { key: "kind", title: "About", width: 152, sort: { key: "kind", first: "asc" }, render: (r) => r.kind },
  { key: "justification", title: "Justification", width: 170, wrap: true, sort: { key: "justification", first: "asc" }, render: (r) => justification(r.justification).word },
  { key: "status", title: "Status", width: 108, sort: { key: "status", first: "asc" }, render: (r) => <Status r={r} /> },
  { key: "where", title: "Where it holds", width: 126, wrap: true, sort: { key: "scope", first: "asc" }, render: (r) => <Where r={r} /> },
  { key: "exposed", title: "Exposed devices", width: 100, align: "end", sort: { key: "exposed", first: "desc" }, render: (r) => number(r.exposed) },
  { key: "expires_at", title: "Ends", width: 126, wrap: true, sort: { key: "expires_at", first: "asc" }, render: (r) => (r.expires_at ? <Day at={r.expires_at} /> : "With its document") },
  { key: "created_at", title: "Made on", width: 126, sort: { key: "created_at", first: "desc" }, render: (r) => <Day at={r.created_at} /> },
  { key: "created_by", title: "Made by", width: 96, wrap: true, sort: { key: "created_by", first: "asc" }, render: (r) => r.created_by },
  { key: "context", title: "Context", width: 240, optional: true, render: (r) => <span title={r.context}>{r.context || "–"}</span> },
  { key: "source", title: "Source", width: 140, optional: true, render: (r) => (r.document ? <Anchor to="/remediation" search={{ tab: "vex", open: r.document }}>{r.source.kind}</Anchor> : r.source.kind || "Manual") },
];

/** Every exception, those that ended too. */
export function ExceptionsTab() {
  const filters = useFilters();
  return (
    <ListView
      name="exceptions"
      label="Exceptions"
      spec={spec}
      groups={filters}
      columns={columns}
      query={exceptions}
      rowKey={(r) => r.id}
      searchLabel="Search exception, context, author"
      exportPath="/exceptions"
      flyout={(id, frame, row) => <ExceptionFlyout key={id} id={id} frame={frame} row={row} />}
      empty={
        <Empty icon={<ShieldCheckmarkRegular />} title="No exceptions">
          Open a recommendation, a weakness or a product and choose Exception options, when it will not be mended for now.
        </Empty>
      }
    />
  );
}
