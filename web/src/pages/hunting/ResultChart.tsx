import { makeStyles, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { day, moment, number, time } from "../../lib/format";
import { axisTicks, type ChartData } from "../../lib/huntChart";
import { Donut } from "../../ui/Donut";

const tones = [tokens.colorCompoundBrandStroke, tokens.colorPaletteBerryForeground1, tokens.colorPaletteTealForeground2, tokens.colorPaletteMarigoldForeground2, tokens.colorPalettePurpleForeground2, tokens.colorPaletteGreenForeground1, tokens.colorPaletteRedForeground1, tokens.colorNeutralForeground3];

const useStyles = makeStyles({
  root: { flexGrow: 1, minHeight: 0, overflow: "auto", padding: "12px 0" },
  box: { display: "block", width: "100%", maxHeight: "420px" },
  words: { fontSize: "11px", fill: tokens.colorNeutralForeground3 },
  legend: { display: "flex", flexWrap: "wrap", gap: "4px 18px", padding: "4px 0 0 52px", margin: 0, listStyle: "none", fontSize: tokens.fontSizeBase200 },
  dot: { display: "inline-block", width: "10px", height: "10px", borderRadius: "2px", marginRight: "6px" },
  read: { minHeight: "20px", paddingLeft: "52px", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
});

const hours = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const w = 1000;
const h = 320;
const pad = { left: 52, right: 12, top: 10, bottom: 28 };

/** A result as lines, columns or a ring. */
export function ResultChart({ data: d }: { data: ChartData }) {
  const s = useStyles();
  const [at, setAt] = useState(-1);
  const left = d.left > 0 && <p className={s.read}>{`${number(d.left)} more are not drawn.`}</p>;
  if (d.kind === "pie") {
    return (
      <div className={s.root}>
        <Donut unit="item" size={220} parts={d.labels.map((l, i) => ({ key: l, label: l || "(none)", value: d.series[0]?.values[i] ?? 0, fill: tones[i % tones.length] ?? tokens.colorNeutralForeground3, legend: <><span className={s.dot} style={{ backgroundColor: tones[i % tones.length] }} aria-hidden />{l || "(none)"}</> }))} />
        {left}
      </div>
    );
  }
  const inner = { w: w - pad.left - pad.right, h: h - pad.top - pad.bottom };
  const ticks = axisTicks(d.series.flatMap((x) => x.values.filter((v) => v !== null)));
  const low = ticks[0] ?? 0;
  const high = ticks[ticks.length - 1] ?? 1;
  const y = (v: number): number => inner.h - ((v - low) / (high - low)) * inner.h;
  const times = d.labels.map((l) => time(l)?.getTime() ?? 0);
  const [t0, t1] = [times[0] ?? 0, times[times.length - 1] ?? 1];
  const step = inner.w / Math.max(1, d.labels.length);
  const x = (i: number): number => (d.time && d.kind === "line" && t1 > t0 ? (((times[i] ?? t0) - t0) / (t1 - t0)) * inner.w : i * step + step / 2);
  const word = (i: number): string => {
    const t = d.time ? time(d.labels[i] ?? "") : null;
    return t ? (t1 - t0 < 5 * 86_400_000 ? hours.format(t) : day(t)) : (d.labels[i] ?? "");
  };
  const every = Math.max(1, Math.ceil(d.labels.length / (d.time ? 8 : 14)));
  const full = at < 0 ? "" : `${d.time ? moment(time(d.labels[at] ?? "") ?? new Date(0)) : (d.labels[at] ?? "")}: ${d.series.map((r) => `${r.name} ${number(r.values[at] ?? 0)}`).join(", ")}`;
  const bar = (step * 0.8) / Math.max(1, d.series.length);
  return (
    <div className={s.root}>
      <svg
        className={s.box}
        viewBox={`0 0 ${w} ${h}`}
        role="img"
        aria-label={`Chart of ${d.series.map((r) => r.name).join(", ")} by ${d.x}, ${d.labels.length} points`}
        onPointerLeave={() => setAt(-1)}
        onPointerMove={(e) => {
          const b = e.currentTarget.getBoundingClientRect();
          if (b.width === 0) return;
          const px = ((e.clientX - b.left) / b.width) * w - pad.left;
          let best = -1;
          d.labels.forEach((_, i) => { if (best < 0 || Math.abs(x(i) - px) < Math.abs(x(best) - px)) best = i; });
          setAt(best);
        }}
      >
        <g transform={`translate(${pad.left} ${pad.top})`}>
          {ticks.map((t) => (
            <g key={t}>
              <line x1="0" x2={inner.w} y1={y(t)} y2={y(t)} style={{ stroke: tokens.colorNeutralStroke3 }} />
              <text className={s.words} x="-8" y={y(t) + 4} textAnchor="end">{number(t)}</text>
            </g>
          ))}
          {d.labels.map((l, i) => i % every === 0 && <text key={l} className={s.words} x={x(i)} y={inner.h + 18} textAnchor={d.kind !== "line" ? "middle" : i === 0 ? "start" : x(i) > inner.w - 40 ? "end" : "middle"}>{word(i).slice(0, 18)}</text>)}
          {at >= 0 && <line x1={x(at)} x2={x(at)} y1="0" y2={inner.h} style={{ stroke: tokens.colorNeutralStroke1 }} />}
          {d.series.map((r, k) => d.kind === "column" ? (
            <g key={r.name} style={{ fill: tones[k % tones.length] }}>
              {r.values.map((v, i) => v !== null && <rect key={i} x={i * step + step * 0.1 + k * bar} width={Math.max(1, bar - 1)} y={Math.min(y(v), y(0))} height={Math.abs(y(v) - y(0))}><title>{`${d.labels[i] ?? ""}: ${r.name} ${number(v)}`}</title></rect>)}
            </g>
          ) : (
            <g key={r.name}>
              <path d={r.values.map((v, i) => (v === null ? "" : `${i === 0 || r.values[i - 1] === null ? "M" : "L"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`)).join(" ")} style={{ fill: "none", stroke: tones[k % tones.length], strokeWidth: 2, strokeLinejoin: "round" }} />
              {d.labels.length <= 60 && r.values.map((v, i) => v !== null && <circle key={i} cx={x(i)} cy={y(v)} r="3" style={{ fill: tones[k % tones.length] }} />)}
            </g>
          ))}
        </g>
      </svg>
      <div className={s.read} aria-hidden>{full}</div>
      <ul className={s.legend}>{d.series.map((r, k) => <li key={r.name}><span className={s.dot} style={{ backgroundColor: tones[k % tones.length] }} aria-hidden />{r.name}</li>)}</ul>
      {left}
    </div>
  );
}
