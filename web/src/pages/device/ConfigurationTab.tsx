import { ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useCallback } from "react";
import { deviceChecks } from "../../api/scores";
import type { DeviceCheckRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { useDeviceId } from "../../app/useDeviceId";
import { result, resultNames } from "../../lib/checks";
import { categories, categoryWord } from "../../lib/exposure";
import { sentence } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Result } from "../../ui/Result";
import { ConfigurationFlyout } from "./ConfigurationFlyout";

const spec: ListSpec = { filters: { state: resultNames, category: categories }, sorts: ["name", "category", "impact", "state"], sort: ["-impact"] };

const groups: readonly FilterGroup[] = [
  { name: "state", title: "Result", options: resultNames.map((v) => ({ value: v, label: result(v).word })) },
  { name: "category", title: "Category", options: categories.map((v) => ({ value: v, label: categoryWord(v) })) },
];

const columns: readonly Column<DeviceCheckRow>[] = [
  { key: "name", title: "Configuration check", width: 220, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.name}</OpenLink> },
  { key: "state", title: "Result", width: 130, sort: { key: "state", first: "asc" }, render: (r) => <Result state={r.state} /> },
  { key: "reason", title: "Why", width: 260, wrap: true, render: (r) => <span title={r.reason}>{r.reason ? sentence(r.reason) : "–"}</span> },
  { key: "category", title: "Category", width: 130, wrap: true, sort: { key: "category", first: "asc" }, render: (r) => categoryWord(r.category) },
  { key: "impact", title: "Impact", width: 90, align: "end", sort: { key: "impact", first: "desc" }, render: (r) => `${r.impact} of 10` },
  { key: "subcategory", title: "Subcategory", width: 150, optional: true, render: (r) => r.subcategory || "–" },
  { key: "check", title: "Id", width: 110, optional: true, render: (r) => r.check },
];

/** What every configuration check says of one device. */
export function ConfigurationTab() {
  const id = useDeviceId();
  const query = useCallback((q: Record<string, string>) => deviceChecks(id, q), [id]);
  return (
    <ListView
      key={id}
      name="device-checks"
      label="Configuration checks"
      spec={spec}
      groups={groups}
      columns={columns}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search check, subcategory"
      exportPath={`/devices/${encodeURIComponent(id)}/checks`}
      flyout={(check, frame, row) => <ConfigurationFlyout key={check} device={id} id={check} frame={frame} row={row} />}
      empty={<Empty icon={<ShieldCheckmarkRegular />} title="There are no checks">This version of Picket has none.</Empty>}
    />
  );
}
