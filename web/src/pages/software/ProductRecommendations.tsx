import { LightbulbCheckmarkRegular } from "@fluentui/react-icons";
import { useCallback } from "react";
import { softwareRecommendations } from "../../api/queries";
import type { RecommendationRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ExceptionMark } from "../../app/ExceptionMark";
import { ListView } from "../../app/ListView";
import { categoryWord, isConfiguration, remedy, remedyNames } from "../../lib/exposure";
import { number } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { FirstTag } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { Impact } from "../../ui/Exposure";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Remedy } from "../../ui/Remedy";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatIcons } from "../../ui/Threats";
import { useProductId } from "./useProductId";

const spec: ListSpec = { filters: { type: remedyNames }, sorts: ["name", "weaknesses", "exposed", "impact", "type", "secure"], sort: ["-impact"] };
const groups: readonly FilterGroup[] = [{ name: "type", title: "Remediation type", options: remedyNames.map((v) => ({ value: v, label: remedy(v).word })) }];

const columns: readonly Column<RecommendationRow>[] = [
  { key: "name", title: "Security recommendation", width: 190, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <Anchor to="/recommendations" search={{ open: r.id, q: r.id }}>{r.name}</Anchor> },
  { key: "weaknesses", title: "Weaknesses", width: 124, sort: { key: "weaknesses", first: "desc" }, render: (r) => (isConfiguration(r.type) ? "–" : <SeverityBar column total={r.weaknesses} counts={r.severity} />) },
  { key: "threats", title: "Threats", width: 116, render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "exposed", title: "Exposed devices", width: 112, align: "end", sort: { key: "exposed", first: "desc" }, render: (r) => `${number(r.exposed)} / ${number(r.installed)}` },
  { key: "type", title: "Remediation type", width: 172, sort: { key: "type", first: "asc" }, render: (r) => <Remedy type={r.type} /> },
  { key: "status", title: "Status", width: 96, wrap: true, render: (r) => <ExceptionMark plain status={r.status} /> },
  { key: "impact", title: "Impact", width: 92, align: "end", sort: { key: "impact", first: "desc" }, render: (r) => <Impact value={r.impact} /> },
  { key: "secure", title: "Secure score", width: 120, align: "end", optional: true, sort: { key: "secure", first: "desc" }, render: (r) => (r.secure_gain > 0 ? `+${r.secure_gain.toFixed(2)}` : "–") },
  { key: "tags", title: "Tags", width: 150, optional: true, render: (r) => <FirstTag tags={r.tags} /> },
  { key: "category", title: "Category", width: 140, optional: true, render: (r) => categoryWord(r.category) },
];

/** What to do about a product: about its weaknesses and about its settings. */
export function ProductRecommendations() {
  const id = useProductId();
  const query = useCallback((q: Record<string, string>) => softwareRecommendations(id, q), [id]);
  return (
    <ListView
      name="product-recommendations"
      label="Security recommendations"
      spec={spec}
      groups={groups}
      columns={columns}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search recommendation"
      exportPath={`/software/${encodeURIComponent(id)}/recommendations`}
      empty={<Empty icon={<LightbulbCheckmarkRegular />} title="Nothing to do">No weakness of this software counts, and its settings are as they should be.</Empty>}
    />
  );
}
