import { LightbulbCheckmarkRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { device, deviceRecommendations } from "../../api/queries";
import type { DeviceRecommendationRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ExceptionMark } from "../../app/ExceptionMark";
import { ListView } from "../../app/ListView";
import { useDeviceId } from "../../app/useDeviceId";
import { recommendationStatus, recommendationStatusNames } from "../../lib/exception";
import { full, isConfiguration, remedy, remedyNames } from "../../lib/exposure";
import { number, sentence } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { recommendationTags, threatFilter, threatNames } from "../../lib/words";
import { FirstTag } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { Impact } from "../../ui/Exposure";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Remedy } from "../../ui/Remedy";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatIcons } from "../../ui/Threats";
import { DeviceRecommendationFlyout } from "./DeviceRecommendationFlyout";

const spec: ListSpec = {
  filters: { type: remedyNames, threat: threatNames, status: recommendationStatusNames, tag: "any", exception: ["true", "false"] },
  sorts: ["name", "component", "weaknesses", "impact", "type", "severity", "threats", "status", "share", "points", "tags", "vendor", "version"],
  sort: ["-impact"],
};

const groups: readonly FilterGroup[] = [
  { name: "type", title: "Remediation type", options: remedyNames.map((v) => ({ value: v, label: remedy(v).word })) },
  threatFilter,
  { name: "status", title: "Status", options: recommendationStatusNames.map((v) => ({ value: v, label: recommendationStatus(v).word })) },
  { name: "tag", title: "Tags", options: recommendationTags.map((v) => ({ value: v, label: v })) },
  { name: "exception", title: "Under an exception", options: [{ value: "true", label: "Some of it" }, { value: "false", label: "Nothing" }] },
];

const columns: readonly Column<DeviceRecommendationRow>[] = [
  { key: "name", title: "Security recommendation", width: 180, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.name}</OpenLink> },
  { key: "weaknesses", title: "Weaknesses", width: 124, sort: { key: "weaknesses", first: "desc" }, render: (r) => (isConfiguration(r.type) ? "–" : <SeverityBar total={r.weaknesses} counts={r.severity} />) },
  { key: "threats", title: "Threats", width: 112, sort: { key: "threats", first: "desc" }, render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "component", title: "Related component", width: 116, wrap: true, sort: { key: "component", first: "asc" }, render: (r) => r.component },
  { key: "type", title: "Remediation type", width: 172, sort: { key: "type", first: "asc" }, render: (r) => <Remedy type={r.type} /> },
  { key: "impact", title: "Impact", width: 92, align: "end", sort: { key: "impact", first: "desc" }, render: (r) => <Impact value={r.impact} /> },
  { key: "share", title: "Share of the score", width: 96, align: "end", optional: true, sort: { key: "share", first: "desc" }, render: (r) => <span title={`${full(r.share)} of the device's score`}>{r.share.toFixed(2)}</span> },
  { key: "status", title: "Status", width: 96, wrap: true, sort: { key: "status", first: "desc" }, render: (r) => <ExceptionMark plain status={r.status} /> },
  { key: "tags", title: "Tags", width: 140, optional: true, sort: { key: "tags", first: "desc" }, render: (r) => <FirstTag tags={r.tags} /> },
  { key: "points", title: "Points", width: 90, align: "end", optional: true, sort: { key: "points", first: "desc" }, render: (r) => number(r.points) },
  { key: "vendor", title: "Vendor", width: 130, optional: true, sort: { key: "vendor", first: "asc" }, render: (r) => r.vendor || "–" },
  { key: "version", title: "Version", width: 190, optional: true, sort: { key: "version", first: "asc" }, render: (r) => <span title={r.version}>{r.version || "–"}</span> },
  { key: "code", title: "Product code", width: 300, optional: true, render: (r) => (r.product_code ? <span title={r.product_code}><Mono>{r.product_code}</Mono></span> : "Not available") },
];

/** What to do on one device. */
export function RecommendationsTab() {
  const id = useDeviceId();
  const { data: d } = useQuery(device(id));
  const query = useCallback((q: Record<string, string>) => deviceRecommendations(id, q), [id]);
  return (
    <ListView
      key={id}
      name="device-recommendations"
      label="Security recommendations"
      spec={spec}
      groups={groups}
      columns={columns}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search recommendation, vendor"
      exportPath={`/devices/${encodeURIComponent(id)}/recommendations`}
      flyout={(recommendation, frame, row) => <DeviceRecommendationFlyout key={recommendation} device={id} id={recommendation} frame={frame} row={row} />}
      empty={d?.no_data ? <Empty icon={<LightbulbCheckmarkRegular />} title="Nothing could be judged">{sentence(d.no_data)}</Empty> : <Empty icon={<LightbulbCheckmarkRegular />} title="Nothing to do">The loaded intelligence knows no weakness that counts of the software on this device.</Empty>}
    />
  );
}
