import { ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useCallback } from "react";
import { softwareVulns } from "../../api/queries";
import type { WeaknessRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { number, percent, plural, score, time } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { ages, severities, severityWord, threatFilter, threatNames, weaknessTags } from "../../lib/words";
import { FirstTag } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Severity } from "../../ui/Severity";
import { ThreatIcons } from "../../ui/Threats";
import { Day } from "../../ui/Time";
import { useProductId } from "./useProductId";

const spec: ListSpec = {
  filters: { version: "any", severity: severities, threat: threatNames, fix: ["available", "none"], age: ages.map(([v]) => v), tag: weaknessTags },
  sorts: ["id", "severity", "cvss", "epss", "published", "updated", "exposed"],
  sort: ["-severity", "-cvss"],
};

const groups: readonly FilterGroup[] = [
  { name: "version", title: "Version", options: [], free: { hint: "3.0.15-1" } },
  { name: "severity", title: "Severity", options: severities.map((v) => ({ value: v, label: severityWord[v] })) },
  threatFilter,
  { name: "fix", title: "Fix", options: [{ value: "available", label: "Fix available on some device" }, { value: "none", label: "No fix" }] },
  { name: "age", title: "Age", options: ages.map(([value, label]) => ({ value, label })) },
  { name: "tag", title: "Tags", options: weaknessTags.map((v) => ({ value: v, label: v })) },
];

const columns: readonly Column<WeaknessRow>[] = [
  { key: "id", title: "Name", width: 146, sort: { key: "id", first: "desc" }, render: (r) => <Anchor to="/weaknesses" search={{ open: r.id, q: r.id, exposed: "any" }}>{r.id}</Anchor> },
  { key: "severity", title: "Severity", width: 116, sort: { key: "severity", first: "desc" }, render: (r) => <Severity level={r.severity} /> },
  { key: "cvss", title: "CVSS", width: 92, align: "end", sort: { key: "cvss", first: "desc" }, render: (r) => score(r.cvss) },
  { key: "title", title: "Title", width: 170, grow: true, render: (r) => <span title={r.title}>{r.title || "–"}</span> },
  { key: "age", title: "Age", width: 114, align: "end", optional: true, render: (r) => (time(r.published) ? plural(r.age_days, "day") : "–") },
  { key: "published", title: "Published on", width: 122, sort: { key: "published", first: "desc" }, render: (r) => <Day at={r.published} /> },
  { key: "threats", title: "Threats", width: 116, render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "exposed", title: "Exposed devices", width: 112, align: "end", sort: { key: "exposed", first: "desc" }, render: (r) => number(r.exposed) },
  { key: "tags", title: "Tags", width: 188, optional: true, render: (r) => <FirstTag tags={r.tags} /> },
  { key: "updated", title: "Updated on", width: 130, optional: true, sort: { key: "updated", first: "desc" }, render: (r) => <Day at={r.updated} /> },
  { key: "epss", title: "EPSS", width: 90, align: "end", optional: true, sort: { key: "epss", first: "desc" }, render: (r) => percent(r.epss) },
];

/** The weaknesses that count through a product. */
export function ProductVulns() {
  const id = useProductId();
  const query = useCallback((q: Record<string, string>) => softwareVulns(id, q), [id]);
  return (
    <ListView
      name="product-vulnerabilities"
      label="Discovered vulnerabilities"
      spec={spec}
      groups={groups}
      columns={columns}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search id, title"
      exportPath={`/software/${encodeURIComponent(id)}/vulnerabilities`}
      empty={<Empty icon={<ShieldCheckmarkRegular />} title="No weakness">The loaded intelligence knows no weakness of this software that counts.</Empty>}
    />
  );
}
