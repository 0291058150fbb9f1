import { makeStyles, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { full, points } from "../lib/exposure";
import { stepsPicture } from "../lib/plan";

export interface ChartStep {
  key: string;
  name: string;
  score: number;
  done?: boolean;
}

const useStyles = makeStyles({
  root: { position: "relative", width: "100%", minWidth: 0 },
  box: { display: "block", width: "100%", height: "auto" },
  words: { fontSize: "11px", fill: tokens.colorNeutralForeground3 },
  target: { stroke: tokens.colorStatusSuccessForeground1, strokeWidth: 1.5, strokeDasharray: "5 4" },
  targetWord: { fontSize: "11px", fill: tokens.colorStatusSuccessForeground1 },
  actual: { stroke: tokens.colorPaletteBerryForeground1, strokeWidth: 2 },
  actualWord: { fontSize: "11px", fill: tokens.colorPaletteBerryForeground1 },
  read: { minHeight: "20px", marginTop: "2px", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, fontVariantNumeric: "tabular-nums", overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
});

const w = 620;
const h = 200;
const pad = { left: 34, right: 14, top: 16, bottom: 26 };

/** The score after each step of a plan, with the target and, of a saved plan, the score now. */
export function StepChart({ before, steps, target, actual }: { before: number; steps: readonly ChartStep[]; target: number; actual?: number }) {
  const s = useStyles();
  const [chosen, setChosen] = useState(-1);
  const inner = { w: w - pad.left - pad.right, h: h - pad.top - pad.bottom };
  const scores = [before, ...steps.map((t) => t.score)];
  const p = stepsPicture(scores, actual === undefined ? [target] : [target, actual], inner.w, inner.h);
  const last = scores[scores.length - 1] ?? before;
  const at = chosen >= 0 && chosen < scores.length ? chosen : -1;
  const step = steps[at - 1];
  const sentence = at < 0 ? "" : at === 0 ? `Before: ${points(before)}` : `${at}. ${step?.name ?? ""}: ${points(step?.score ?? before)}${step?.done ? ", done" : ""}`;
  const where = (x: number, box: DOMRect): number => Math.round((((x - box.left) / box.width) * w - pad.left) / (inner.w / Math.max(1, steps.length)));
  return (
    <div className={s.root}>
      <svg
        className={s.box}
        viewBox={`0 0 ${w} ${h}`}
        role="img"
        aria-label={`Score over ${steps.length} steps: from ${points(before)} to ${points(last)}, target ${target}${actual === undefined ? "" : `, now ${points(actual)}`}`}
        onPointerMove={(e) => { const b = e.currentTarget.getBoundingClientRect(); if (b.width > 0) setChosen(Math.max(0, Math.min(steps.length, where(e.clientX, b)))); }}
        onPointerLeave={() => setChosen(-1)}
      >
        <g transform={`translate(${pad.left} ${pad.top})`}>
          {p.ticks.map((t) => (
            <g key={t}>
              <line x1="0" x2={inner.w} y1={p.y(t)} y2={p.y(t)} style={{ stroke: tokens.colorNeutralStroke3 }} />
              <text className={s.words} x="-8" y={p.y(t) + 4} textAnchor="end">{t}</text>
            </g>
          ))}
          <line className={s.target} x1="0" x2={inner.w} y1={p.y(target)} y2={p.y(target)} />
          <text className={s.targetWord} x="6" y={p.y(target) - 5}>{`Target ${target}`}</text>
          {actual !== undefined && (
            <>
              <line className={s.actual} x1="0" x2={inner.w} y1={p.y(actual)} y2={p.y(actual)} />
              <text className={s.actualWord} x={inner.w} y={p.y(actual) - 6} textAnchor="end">{`Now ${points(actual)}`}</text>
            </>
          )}
          <path d={p.stairs} style={{ fill: "none", stroke: tokens.colorCompoundBrandStroke, strokeWidth: 2.5, strokeLinejoin: "round" }} />
          {scores.length <= 60 && scores.map((v, i) => <circle key={i} cx={p.x(i)} cy={p.y(v)} r={i === at ? 5 : 3.5} style={{ fill: i > 0 && steps[i - 1]?.done ? tokens.colorStatusSuccessForeground1 : tokens.colorCompoundBrandStroke, stroke: tokens.colorNeutralBackground1, strokeWidth: 1.5 }} />)}
          <text className={s.words} x="0" y={inner.h + 18}>Before</text>
          <text className={s.words} x={inner.w} y={inner.h + 18} textAnchor="end">{`after ${steps.length} ${steps.length === 1 ? "step" : "steps"}`}</text>
        </g>
      </svg>
      <div className={s.read} aria-hidden title={at > 0 ? full(step?.score ?? before) : undefined}>{sentence}</div>
    </div>
  );
}
