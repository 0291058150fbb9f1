import { DesktopRegular } from "@fluentui/react-icons";
import { useCallback } from "react";
import { entityDevices } from "../../api/entity";
import type { EntityDevice } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import type { EntityKind } from "../../lib/entity";
import { levelWord, levels } from "../../lib/exposure";
import { number } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { ExposureLevel } from "../../ui/Exposure";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Moment } from "../../ui/Time";

const health = ["Active", "Inactive", "ImpairedCommunication", "NoSensorData"];

const spec: ListSpec = {
  filters: { days: ["1", "7", "30", "90", "180"], os: "any", health, exposure: levels },
  sorts: ["name", "os", "health", "group", "events", "first", "last"],
  sort: ["-last"],
  extra: ["tab"],
};

const groups: readonly FilterGroup[] = [
  { name: "os", title: "OS platform", options: ["Debian", "Ubuntu", "AlmaLinux", "RockyLinux", "Alpine"].map((v) => ({ value: v, label: v })), free: { hint: "Fedora" } },
  { name: "exposure", title: "Exposure level", options: levels.map((v) => ({ value: v, label: levelWord(v) })) },
  { name: "health", title: "Health state", options: health.map((v) => ({ value: v, label: v })) },
];

const columns: readonly Column<EntityDevice>[] = [
  { key: "name", title: "Device", width: 150, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <Anchor to={`/devices/${encodeURIComponent(r.id)}/timeline`}>{r.name}</Anchor> },
  { key: "os", title: "Operating system", width: 160, wrap: true, sort: { key: "os", first: "asc" }, render: (r) => r.os_name },
  { key: "exposure", title: "Exposure level", width: 120, render: (r) => <ExposureLevel level={r.exposure} /> },
  { key: "events", title: "Events", width: 90, sort: { key: "events", first: "desc" }, render: (r) => number(r.events) },
  { key: "first", title: "First seen", width: 200, sort: { key: "first", first: "desc" }, render: (r) => <Moment at={r.first} /> },
  { key: "last", title: "Last seen", width: 200, sort: { key: "last", first: "desc" }, render: (r) => <Moment at={r.last} /> },
  { key: "names", title: "Seen as", width: 150, wrap: true, render: (r) => r.names.join(", ") || "–" },
  { key: "group", title: "Device group", width: 140, optional: true, sort: { key: "group", first: "asc" }, render: (r) => r.group },
  { key: "health", title: "Health state", width: 110, optional: true, sort: { key: "health", first: "asc" }, render: (r) => r.health },
  { key: "id", title: "Device id", width: 240, optional: true, render: (r) => r.id },
];

const path = { file: "files", ip: "ips", domain: "domains", user: "users" };

/** The devices that met an entity. */
export function EntityDevices({ kind, id }: { kind: EntityKind; id: string }) {
  const query = useCallback((q: Record<string, string>) => entityDevices(kind, id, q), [kind, id]);
  return (
    <ListView
      name="entity-devices"
      label="Devices that met it"
      spec={spec}
      groups={groups}
      columns={columns}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search devices"
      exportPath={`/${path[kind]}/${encodeURIComponent(id)}/devices`}
      keep={["days"]}
      empty={<Empty icon={<DesktopRegular />} title="No device met it">No device that you see has met it in this time.</Empty>}
    />
  );
}
