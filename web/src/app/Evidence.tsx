import type { DeviceCheckRow } from "../api/schema";
import { section } from "../lib/words";
import { Mono } from "../ui/Copy";
import { PlainTable, type PlainColumn } from "../ui/PlainTable";

type Found = DeviceCheckRow["evidence"][number];

const columns: readonly PlainColumn<Found>[] = [
  { key: "setting", title: "Setting", render: (e) => <><Mono>{e.setting}</Mono><div style={{ fontSize: 12, opacity: 0.8 }}>{e.source || section(e.section)}</div></> },
  { key: "found", title: "Found", width: "28%", render: (e) => <strong>{e.found}</strong> },
  { key: "expected", title: "Expected", width: "28%", render: (e) => e.expected },
];

/** The settings that decided a configuration check on a device. */
export function CheckEvidence({ rows }: { rows: readonly Found[] }) {
  return <PlainTable label="Settings that decided" columns={columns} rows={rows} rowKey={(e) => `${e.section} ${e.setting} ${e.source}`} />;
}
