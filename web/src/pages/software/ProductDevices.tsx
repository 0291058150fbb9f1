import { DesktopRegular } from "@fluentui/react-icons";
import { useCallback } from "react";
import { softwareDevices } from "../../api/queries";
import type { DeviceRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import type { ListSpec } from "../../lib/search";
import { levelWord, levels, values } from "../../lib/exposure";
import { FirstTag } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Dotted } from "../../ui/Dotted";
import { Empty } from "../../ui/Empty";
import { ExposureLevel } from "../../ui/Exposure";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Health } from "../../ui/Health";
import { SeverityBar } from "../../ui/SeverityBar";
import { Ago } from "../../ui/Time";
import { useProductId } from "./useProductId";

const spec: ListSpec = {
  filters: { version: "any", exposure: levels, value: values, health: ["Active", "Inactive"], os: "any", tag: "any" },
  sorts: ["name", "domain", "os", "last_seen", "weaknesses", "score"],
  sort: ["name"],
};

const groups: readonly FilterGroup[] = [
  { name: "version", title: "Version", options: [], free: { hint: "3.0.15-1" } },
  { name: "exposure", title: "Exposure level", options: levels.map((v) => ({ value: v, label: levelWord(v) })) },
  { name: "value", title: "Device value", options: values.map((v) => ({ value: v, label: v })) },
  { name: "os", title: "OS platform", options: ["Debian", "Ubuntu", "AlmaLinux", "RockyLinux", "Alpine"].map((v) => ({ value: v, label: v })), free: { hint: "Fedora" } },
  { name: "tag", title: "Tags", options: [], free: { hint: "production" } },
];

const columns = (product: string): readonly Column<DeviceRow>[] => [
  { key: "name", title: "Name", width: 150, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <Anchor to={`/devices/${encodeURIComponent(r.id)}/software`} search={{ open: product }}>{r.name}</Anchor> },
  { key: "domain", title: "Domain", width: 128, wrap: true, sort: { key: "domain", first: "asc" }, render: (r) => (r.domain ? <Dotted name={r.domain} /> : "–") },
  { key: "os", title: "Operating system", width: 160, wrap: true, sort: { key: "os", first: "asc" }, render: (r) => r.os_name },
  { key: "exposure", title: "Exposure level", width: 120, wrap: true, sort: { key: "score", first: "desc" }, render: (r) => <ExposureLevel level={r.exposure} reason={r.no_data} /> },
  { key: "weaknesses", title: "Weaknesses", width: 130, sort: { key: "weaknesses", first: "desc" }, render: (r) => <SeverityBar column total={r.weaknesses} counts={r.severity} /> },
  { key: "health", title: "Health state", width: 104, wrap: true, render: (r) => <Health value={r.health} connected={r.connected} /> },
  { key: "seen", title: "Last seen", width: 110, sort: { key: "last_seen", first: "desc" }, render: (r) => (r.connected ? "Connected" : <Ago at={r.last_seen} />) },
  { key: "alerts", title: "Active alerts", width: 110, align: "end", optional: true, render: (r) => r.alerts },
  { key: "tags", title: "Tags", width: 150, optional: true, render: (r) => <FirstTag tags={r.tags} /> },
  { key: "id", title: "Device id", width: 240, optional: true, render: (r) => r.id },
];

/** The devices that have a product. */
export function ProductDevices() {
  const id = useProductId();
  const query = useCallback((q: Record<string, string>) => softwareDevices(id, q), [id]);
  return (
    <ListView
      name="product-devices"
      label="Installed devices"
      spec={spec}
      groups={groups}
      columns={columns(id)}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search devices"
      exportPath={`/software/${encodeURIComponent(id)}/devices`}
      empty={<Empty icon={<DesktopRegular />} title="No device has it">No device has this software any more.</Empty>}
    />
  );
}
