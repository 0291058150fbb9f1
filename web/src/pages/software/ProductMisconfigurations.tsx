import { SettingsRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
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
  { key: "name", title: "Configuration", render: (k) => <Anchor to="/recommendations" search={{ open: k.id, q: k.id }}>{k.name}</Anchor> },
  { key: "severity", title: "Severity", width: "16%", render: (k) => <Severity level={k.severity} /> },
  { key: "impact", title: "Impact (1 to 10)", width: "16%", align: "end", render: (k) => k.impact },
  { key: "devices", title: "Devices that fail", width: "18%", align: "end", render: (k) => <span title={`${plural(k.devices, "device")} with this software`}>{number(k.devices)}</span> },
];

/** The settings of a product that are not as they should be on a device that has it. */
export function ProductMisconfigurations() {
  const id = useProductId();
  const { data: d } = useQuery(software(id));
  if (!d) return null; // the frame shows what is read and what went wrong
  if (d.checks.length === 0) return <Empty icon={<SettingsRegular />} title="No misconfiguration">No setting that Picket checks of this software fails on a device. Software without checks is not judged here.</Empty>;
  return <PlainTable label="Misconfigurations" columns={columns} rows={d.checks} rowKey={(k) => k.id} middle />;
}
