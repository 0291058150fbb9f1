import { makeStyles, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { ring, shares } from "../lib/arc";
import { number, plural } from "../lib/format";

export interface DonutPart {
  key: string;
  label: string;
  value: number;
  fill: string;
  /** Shown in the legend instead of the label. */
  legend?: ReactNode;
}

const useStyles = makeStyles({
  root: { display: "flex", alignItems: "center", gap: "28px", flexWrap: "wrap" },
  total: { fontSize: "26px", fontWeight: 600, fill: tokens.colorNeutralForeground1 },
  unit: { fontSize: "11px", fill: tokens.colorNeutralForeground3 },
  legend: { display: "grid", gridTemplateColumns: "auto auto", columnGap: "20px", rowGap: "6px", margin: 0, alignItems: "center" },
  count: { margin: 0, textAlign: "end", fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: "tabular-nums" },
});

/** A doughnut with its legend; readable as one sentence by screen readers. `onSelect` hears clicks on a segment; who has no pointer takes a link in the legend. `unit` is one of what is counted. */
export function Donut({ parts, unit, size = 148, onSelect }: { parts: readonly DonutPart[]; unit: string; size?: number; onSelect?: (key: string) => void }) {
  const s = useStyles();
  const total = parts.reduce((n, p) => n + p.value, 0);
  const arcs = shares(parts.map((p) => p.value), 0.015);
  const words = parts.filter((p) => p.value > 0).map((p) => `${number(p.value)} ${p.label}`).join(", ");
  return (
    <div className={s.root}>
      <svg width={size} height={size} viewBox="-50 -50 100 100" role="img" aria-label={`${plural(total, unit)}${words ? `: ${words}` : ""}`}>
        {total === 0 && <path d={ring(0, 1, 48, 35)} style={{ fill: tokens.colorNeutralBackground6 }} />}
        {parts.map((p, i) => {
          const [from, to] = arcs[i] ?? [0, 0];
          if (to <= from) return null;
          return (
            <path key={p.key} d={ring(from, to, 48, 35)} style={{ fill: p.fill, stroke: tokens.colorNeutralBackground1, strokeWidth: 1, cursor: onSelect && "pointer" }} onClick={onSelect && (() => onSelect(p.key))}>
              <title>{`${p.label}: ${number(p.value)}`}</title>
            </path>
          );
        })}
        <text className={s.total} x="0" y="4" textAnchor="middle" style={{ fontSize: total > 99_999 ? "17px" : "23px" }}>
          {number(total)}
        </text>
        <text className={s.unit} x="0" y="18" textAnchor="middle" style={{ fontSize: "8.5px" }}>
          {plural(total, unit).replace(/^\S+ /, "")}
        </text>
      </svg>
      <dl className={s.legend}>
        {parts.map((p) => (
          <div key={p.key} style={{ display: "contents" }}>
            <dt>{p.legend ?? p.label}</dt>
            <dd className={s.count}>{number(p.value)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
