import { makeStyles, tokens } from "@fluentui/react-components";
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { full, points as short } from "../lib/exposure";
import { day, moment, timeOfDay } from "../lib/format";
import { TrendDot, type TrendMark } from "./TrendDot";
import { breaks, change, lines, nearest, scale, thin, type TrendPoint } from "../lib/trend";

export interface TrendProps<T> {
  label: string;
  points: readonly T[];
  /** What else is said of a point. */
  say: (p: T) => string;
  /** Moments to mark with a dot, in order. */
  marks?: readonly TrendMark[];
  /** What follows the value, as " %". */
  unit?: string;
  /** Size of the picture before it is fitted to its place. */
  width?: number;
  height?: number;
}

const useStyles = makeStyles({
  root: { width: "100%", minWidth: 0 },
  picture: { position: "relative" },
  box: { display: "block", width: "100%", height: "auto", borderRadius: tokens.borderRadiusMedium, cursor: "crosshair", "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
  words: { fontSize: "11px", fill: tokens.colorNeutralForeground3 },
  read: { minHeight: "20px", marginTop: "2px", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, fontVariantNumeric: "tabular-nums" },
  none: { display: "flex", alignItems: "center", minHeight: "120px", color: tokens.colorNeutralForeground2 },
});

const pad = { left: 34, right: 12, top: 10, bottom: 24 };
const most = 120;
const oneDay = 86_400_000;

/**
 * A score over time. Pointers show the point that is nearest; as a slider it is
 * read by arrow keys, Home and End too. A change of the formula, or of
 * the weights of devices, breaks the line and is marked.
 */
export function Trend<T extends TrendPoint>({ label, points, say, marks = [], unit = "", width: w = 560, height: h = 176 }: TrendProps<T>) {
  const s = useStyles();
  const [chosen, setChosen] = useState(-1);
  const shown = thin(points, most);
  const first = shown[0];
  const last = shown[shown.length - 1];
  if (!first || !last || first === last) {
    return <p className={s.none}>There is one score so far. The trend is drawn from the second one on, a minute later at the earliest.</p>;
  }
  const inner = { w: w - pad.left - pad.right, h: h - pad.top - pad.bottom };
  const c = scale(shown, inner.w, inner.h);
  const at = chosen >= 0 && chosen < shown.length ? chosen : shown.length - 1;
  const point = shown[at] ?? last;
  const when = (ms: number): string => (last.at - first.at < oneDay ? timeOfDay(new Date(ms)) : day(new Date(ms)));
  const sentence = `${moment(new Date(point.at))}: ${short(point.value)}${unit}, ${say(point)}`;
  const keys = (e: KeyboardEvent) => {
    const to: Record<string, number> = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageUp: at + 10, PageDown: at - 10, Home: 0, End: shown.length - 1 };
    const next = to[e.key];
    if (next === undefined) return;
    e.preventDefault();
    setChosen(Math.max(0, Math.min(shown.length - 1, next)));
  };
  const hover = (e: PointerEvent<SVGSVGElement>) => {
    const box = e.currentTarget.getBoundingClientRect();
    if (box.width > 0) setChosen(nearest(shown, c, ((e.clientX - box.left) / box.width) * w - pad.left));
  };
  const x = c.x(point.at);
  return (
    <div className={s.root}>
      <div className={s.picture}>
        <svg
          className={s.box}
          viewBox={`0 0 ${w} ${h}`}
          role="slider"
          tabIndex={0}
          aria-label={label}
          aria-orientation="horizontal"
          aria-valuemin={1}
          aria-valuemax={shown.length}
          aria-valuenow={at + 1}
          aria-valuetext={sentence}
          onKeyDown={keys}
          onPointerMove={hover}
          onPointerLeave={() => setChosen(-1)}
          onBlur={() => setChosen(-1)}
        >
          <g transform={`translate(${pad.left} ${pad.top})`}>
            {c.ticks.map((t) => (
              <g key={t}>
                <line x1="0" x2={inner.w} y1={c.y(t)} y2={c.y(t)} style={{ stroke: tokens.colorNeutralStroke3 }} />
                <text className={s.words} x="-8" y={c.y(t) + 4} textAnchor="end">{t}</text>
              </g>
            ))}
            {breaks(shown).map((i) => {
              const p = shown[i] ?? last;
              const what = change(shown, i);
              return (
                <g key={i}>
                  <title>{what.means}</title>
                  <line x1={c.x(p.at)} x2={c.x(p.at)} y1="0" y2={inner.h} style={{ stroke: tokens.colorNeutralStroke1, strokeDasharray: "3 3" }} />
                  <text className={s.words} x={c.x(p.at)} y="9" textAnchor={c.x(p.at) > inner.w - 60 ? "end" : "start"} dx={c.x(p.at) > inner.w - 60 ? -4 : 4}>{what.word}</text>
                </g>
              );
            })}
            {lines(shown, c).map((d) => <path key={d} d={d} style={{ fill: "none", stroke: tokens.colorCompoundBrandStroke, strokeWidth: 2, strokeLinejoin: "round", strokeLinecap: "round" }} />)}
            {shown.length <= 40 && shown.map((p) => <circle key={p.at} cx={c.x(p.at)} cy={c.y(p.value)} r="2.5" style={{ fill: tokens.colorCompoundBrandStroke }} />)}
            {chosen >= 0 && <line x1={x} x2={x} y1="0" y2={inner.h} style={{ stroke: tokens.colorNeutralStroke1 }} />}
            <circle cx={x} cy={c.y(point.value)} r="4.5" style={{ fill: tokens.colorNeutralBackground1, stroke: tokens.colorCompoundBrandStroke, strokeWidth: 2.5 }} />
            <text className={s.words} x="0" y={inner.h + 18}>{when(first.at)}</text>
            <text className={s.words} x={inner.w} y={inner.h + 18} textAnchor="end">{when(last.at)}</text>
          </g>
        </svg>
        {marks.map((m) => {
          if (m.at < first.at - oneDay || m.at > last.at + oneDay) return null;
          const mx = Math.max(0, Math.min(c.x(m.at), inner.w));
          const y = c.y((shown[nearest(shown, c, mx)] ?? last).value);
          return <TrendDot key={m.at} mark={m} left={(pad.left + mx) / w} top={(pad.top + y) / h} />;
        })}
      </div>
      <div className={s.read} aria-hidden title={full(point.value)}>{sentence}</div>
    </div>
  );
}
