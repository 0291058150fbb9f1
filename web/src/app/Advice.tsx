import { makeStyles, tokens } from "@fluentui/react-components";
import type { FixRow } from "../api/schema";
import { number } from "../lib/format";
import { Mono } from "../ui/Copy";
import { PlainTable, type PlainColumn } from "../ui/PlainTable";

const useStyles = makeStyles({
  steps: { margin: 0, paddingLeft: "20px", display: "flex", flexDirection: "column", gap: "8px", overflowWrap: "anywhere", lineHeight: tokens.lineHeightBase400 },
});

/** How to carry a recommendation out, step by step. */
export function Steps({ steps }: { steps: readonly string[] }) {
  const s = useStyles();
  return <ol className={s.steps}>{steps.map((t, i) => <li key={`${String(i)} ${t}`}>{t}</li>)}</ol>;
}

const columns: readonly PlainColumn<FixRow>[] = [
  { key: "place", title: "Place", width: "18%", render: (f) => f.place },
  { key: "package", title: "Package", render: (f) => f.package },
  { key: "version", title: "Version that closes all", width: "36%", render: (f) => (f.version ? <Mono>{f.version}</Mono> : "none yet") },
  { key: "devices", title: "Devices", width: "14%", align: "end", render: (f) => number(f.devices) },
];

/** What to install where. */
export function Fixes({ rows }: { rows: readonly FixRow[] }) {
  return <PlainTable label="What to install where" columns={columns} rows={rows} rowKey={(f) => `${f.place} ${f.package}`} />;
}
