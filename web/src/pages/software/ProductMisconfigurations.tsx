import { SettingsRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { software } from "../../api/queries";
import type { Software } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { number, plural } from "../../lib/format";
import { Empty } from "../../ui/Empty";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Severity } from "../../ui/Severity";
import { useProductId } from "./useProductId";

type Check = Software["checks"][number];

const columns: readonly PlainColumn<Check>[] = [
  { key: "name", title: "Configuration", sort: { key: "name", first: "asc" }, render: (k) => <Anchor to="/recommendations" search={{ open: k.id, q: k.id }}>{k.name}</Anchor> },
  { key: "severity", title: "Severity", sort: { key: "severity", first: "desc" }, width: "16%", render: (k) => <Severity level={k.severity} /> },
  { key: "impact", title: "Impact (1 to 10)", sort: { key: "impact", first: "desc" }, width: "16%", align: "end", render: (k) => k.impact },
  { key: "devices", title: "Devices that fail", sort: { key: "devices", first: "desc" }, width: "18%", align: "end", render: (k) => <span title={`${plural(k.devices, "device")} with this software`}>{number(k.devices)}</span> },
];

const ranks = ["None", "Low", "Medium", "High", "Critical"];
const orders: Record<string, (a: Check, b: Check) => number> = {
  name: (a, b) => a.name.localeCompare(b.name, "en"),
  severity: (a, b) => ranks.indexOf(a.severity) - ranks.indexOf(b.severity),
  impact: (a, b) => a.impact - b.impact,
  devices: (a, b) => a.devices - b.devices,
};

/** The settings in an order, "-impact" for the highest first; "" is as they came. */
const ordered = (rows: readonly Check[], sort: string): readonly Check[] => {
  const by = orders[sort.replace(/^-/, "")];
  return by ? [...rows].sort((a, b) => by(a, b) * (sort.startsWith("-") ? -1 : 1)) : rows;
};

/** The settings of a product that are not as they should be on a device that has it. */
export function ProductMisconfigurations() {
  const id = useProductId();
  const { data: d } = useQuery(software(id));
  const [sort, setSort] = useState("");
  if (!d) return null; // the frame shows what is read and what went wrong
  if (d.checks.length === 0) return <Empty icon={<SettingsRegular />} title="No misconfiguration">No setting that Picket checks of this software fails on a device. Software without checks is not judged here.</Empty>;
  return <PlainTable label="Misconfigurations" columns={columns} rows={ordered(d.checks, sort)} rowKey={(k) => k.id} middle sort={sort} onSort={setSort} />;
}
