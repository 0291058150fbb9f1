import { Button, Input, Select, makeStyles, tokens } from "@fluentui/react-components";
import { useId, useState } from "react";
import { presets, type Range } from "./range";

const useStyles = makeStyles({
  row: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "8px", color: tokens.colorNeutralForeground2 },
  select: { minWidth: "150px" },
});

const words: Record<string, string> = { 1: "Last day", 7: "Last 7 days", 30: "Last 30 days" };

/** Which time the timeline shows. */
export function RangePicker({ value, onChange }: { value: Range; onChange: (r: Range) => void }) {
  const s = useStyles();
  const id = useId();
  const [editing, setEditing] = useState(false);
  const own = value.kind === "custom" ? value : { from: "", to: "" };
  const custom = editing || value.kind === "custom";
  const chosen = custom ? "custom" : value.kind === "days" ? value.days : "all";
  return (
    <div className={s.row}>
      <label htmlFor={id}>Range</label>
      <Select
        id={id}
        size="small"
        className={s.select}
        value={chosen}
        onChange={(_, d) => {
          setEditing(d.value === "custom");
          if (d.value === "all") onChange({ kind: "all" });
          else if (d.value !== "custom") onChange({ kind: "days", days: d.value });
        }}
      >
        {presets.map((n) => <option key={n} value={n}>{words[n]}</option>)}
        {value.kind === "days" && !(presets as readonly string[]).includes(value.days) && <option value={value.days}>{`Last ${value.days} days`}</option>}
        <option value="all">All time</option>
        <option value="custom">Custom …</option>
      </Select>
      {custom && <Days key={`${own.from} ${own.to}`} from={own.from} to={own.to} onApply={(from, to) => { setEditing(false); onChange(from || to ? { kind: "custom", from, to } : { kind: "all" }); }} />}
    </div>
  );
}

function Days({ from, to, onApply }: { from: string; to: string; onApply: (from: string, to: string) => void }) {
  const s = useStyles();
  const [first, setFirst] = useState(from);
  const [last, setLast] = useState(to);
  return (
    <form className={s.row} onSubmit={(e) => { e.preventDefault(); onApply(first, last); }}>
      <Input size="small" type="date" aria-label="From day (UTC)" value={first} max={last || undefined} onChange={(_, d) => setFirst(d.value)} />
      <span>to</span>
      <Input size="small" type="date" aria-label="To day (UTC)" value={last} min={first || undefined} onChange={(_, d) => setLast(d.value)} />
      <span>UTC</span>
      <Button size="small" type="submit">Apply</Button>
    </form>
  );
}
