import { Button, Input, makeStyles } from "@fluentui/react-components";
import { useState } from "react";
import { localTime } from "../../lib/format";
import type { Span } from "../../lib/timeline";

const useStyles = makeStyles({ row: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "6px" } });

/** The range of the chart as two moments. */
export function CustomRange({ range, onApply }: { range: Span; onApply: (s: Span) => void }) {
  const s = useStyles();
  const [from, setFrom] = useState(localTime(range.from, false));
  const [to, setTo] = useState(localTime(range.to, false));
  const next = { from: Date.parse(from), to: Date.parse(to) };
  const good = next.from < next.to;
  return (
    <form className={s.row} onSubmit={(e) => { e.preventDefault(); if (good) onApply(next); }}>
      <Input size="small" type="datetime-local" aria-label="From" value={from} onChange={(_, d) => setFrom(d.value)} />
      <span>to</span>
      <Input size="small" type="datetime-local" aria-label="To" value={to} onChange={(_, d) => setTo(d.value)} />
      <Button size="small" type="submit" disabled={!good} title={good ? undefined : "The beginning must be before the end"}>Apply</Button>
    </form>
  );
}
