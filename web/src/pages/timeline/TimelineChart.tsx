import { Button, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { ArrowResetRegular, ZoomInRegular } from "@fluentui/react-icons";
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent as ReactPointerEvent } from "react";
import type { MissingPart, TimelineCounts } from "../../api/schema";
import { day, moment, number, plural, timeOfDay } from "../../lib/format";
import { stateWord } from "../../lib/investigations";
import { bars, between, moved, resized, ticks, tones, toneOf, zoomed, type Span, type Tone } from "../../lib/timeline";

const width = 1000;
const height = 84;

const colors: Record<Tone, string> = {
  process: tokens.colorCompoundBrandStroke,
  network: tokens.colorPaletteTealBorderActive,
  file: tokens.colorPaletteMarigoldBorderActive,
  logon: tokens.colorPaletteBerryBorderActive,
  other: tokens.colorNeutralStrokeAccessible,
  alert: tokens.colorPaletteRedBorderActive,
};

const useStyles = makeStyles({
  root: { flexShrink: 0, userSelect: "none" },
  plot: { position: "relative", height: "84px", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, backgroundColor: tokens.colorNeutralBackground2, cursor: "crosshair", touchAction: "none", overflow: "hidden" },
  svg: { display: "block", width: "100%", height: "100%", forcedColorAdjust: "none" },
  sel: { position: "absolute", top: 0, bottom: 0, backgroundColor: "rgba(15, 108, 189, 0.16)", borderLeft: `2px solid ${tokens.colorCompoundBrandStroke}`, borderRight: `2px solid ${tokens.colorCompoundBrandStroke}`, boxSizing: "border-box", cursor: "grab" },
  whole: { borderLeftColor: "transparent", borderRightColor: "transparent", backgroundColor: "transparent", pointerEvents: "none" },
  handle: { position: "absolute", top: "50%", width: "12px", height: "28px", marginTop: "-14px", borderRadius: "4px", backgroundColor: tokens.colorNeutralBackground1, border: `2px solid ${tokens.colorCompoundBrandStroke}`, boxSizing: "border-box", cursor: "ew-resize", padding: 0, pointerEvents: "auto", "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "1px" } },
  arrow: { position: "absolute", top: 0, zIndex: 1, transform: "translateX(-50%)", padding: 0, border: "none", background: "none", cursor: "pointer", fontSize: "13px", lineHeight: "13px", color: tokens.colorStatusDangerForeground1, "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
  flagged: { top: "28px", color: tokens.colorNeutralForeground2 },
  searched: { top: "14px", color: tokens.colorBrandForeground1 },
  axis: { position: "relative", height: "18px", fontSize: tokens.fontSizeBase100, color: tokens.colorNeutralForeground3, marginTop: "2px", overflow: "hidden" },
  tick: { position: "absolute", transform: "translateX(-50%)", whiteSpace: "nowrap" },
  foot: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "4px 16px", minHeight: "32px", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  key: { display: "inline-flex", alignItems: "center", gap: "6px" },
  dot: { width: "10px", height: "10px", borderRadius: "2px", forcedColorAdjust: "none" },
  read: { marginLeft: "auto", display: "flex", alignItems: "center", gap: "4px", fontVariantNumeric: "tabular-nums" },
});

export interface TimelineChartProps {
  counts: TimelineCounts | undefined;
  range: Span;
  sel: Span | undefined;
  missing: readonly MissingPart[];
  /** Highlights another part; undefined: all. */
  onSelect: (s: Span | undefined) => void;
  /** Makes the highlighted part the range of the chart. */
  onZoom: (s: Span) => void;
  /** Shows an alert whose arrow was pressed. */
  onAlert: (id: string) => void;
  onInvestigation: (id: string) => void;
  /** Shows what was before a flagged event. */
  onFlag: (at: number) => void;
}

type Drag = { kind: "new"; at: number } | { kind: "move"; at: number; from: Span } | { kind: "from" | "to"; from: Span };

/** Events over time with a part highlighted that can be dragged, made longer and shorter. */
export function TimelineChart({ counts, range, sel, missing, onSelect, onZoom, onAlert, onInvestigation, onFlag }: TimelineChartProps) {
  const s = useStyles();
  const box = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag>(undefined);
  const [draft, setDraft] = useState<Span>();
  const shown = draft ?? sel;
  const now = shown ?? range;

  const at = (x: number): number => {
    const r = box.current?.getBoundingClientRect();
    if (!r || r.width === 0) return range.from;
    return range.from + (Math.min(Math.max(x - r.left, 0), r.width) / r.width) * (range.to - range.from);
  };
  const down = (e: ReactPointerEvent, kind: "from" | "to" | "move" | "new") => {
    if (e.button !== 0) return;
    e.stopPropagation();
    e.currentTarget.setPointerCapture(e.pointerId);
    const t = at(e.clientX);
    drag.current = kind === "new" ? { kind, at: t } : kind === "move" ? { kind, at: t, from: now } : { kind, from: now };
  };
  const move = (e: ReactPointerEvent) => {
    const d = drag.current;
    if (!d) return;
    const t = at(e.clientX);
    if (d.kind === "new") setDraft(between(d.at, t, range));
    else if (d.kind === "move") setDraft(moved(d.from, t - d.at, range));
    else setDraft(resized(d.from, d.kind, t, range));
  };
  const up = () => {
    drag.current = undefined;
    if (draft) onSelect(draft.to - draft.from >= range.to - range.from ? undefined : draft);
    setDraft(undefined);
  };
  const tell = (next: Span) => onSelect(next.to - next.from >= (range.to - range.from) * 0.999 ? undefined : next);

  useEffect(() => {
    const el = box.current;
    if (!el) return undefined;
    const wheel = (e: WheelEvent) => {
      if (!e.ctrlKey && !e.shiftKey) return; // a plain wheel scrolls the page
      e.preventDefault();
      tell(zoomed(now, at(e.clientX), (e.deltaY || e.deltaX) > 0 ? 1.25 : 0.8, range));
    };
    el.addEventListener("wheel", wheel, { passive: false });
    return () => el.removeEventListener("wheel", wheel);
  });

  const step = (counts?.step_seconds ?? 3600) * 1000;
  const key = (e: KeyboardEvent, end: "from" | "to") => {
    const by = { ArrowLeft: -step, ArrowRight: step, PageDown: -10 * step, PageUp: 10 * step }[e.key];
    if (by !== undefined) tell(e.shiftKey ? moved(now, by, range) : resized(now, end, now[end] + by, range));
    else if (e.key === "Home" || e.key === "End") tell(resized(now, end, e.key === "Home" ? range.from : range.to, range));
    else if (e.key === "+" || e.key === "-") tell(zoomed(now, (now.from + now.to) / 2, e.key === "+" ? 0.5 : 2, range));
    else return;
    e.preventDefault();
  };
  const left = (t: number): string => `${((t - range.from) / (range.to - range.from)) * 100}%`;
  const drawn = counts ? bars(counts.buckets, step, range, width, height - 4) : [];
  const inside = counts?.buckets.reduce((n, b) => {
    const t = Date.parse(b.start);
    return t + step > now.from && t < now.to ? n + Object.values(b.groups).reduce((a, c) => a + c, 0) : n;
  }, 0);
  const used = new Set(Object.keys(counts?.groups ?? {}).map(toneOf));
  const long = range.to - range.from > 36 * 3600_000;
  return (
    <div className={s.root}>
      <div ref={box} className={s.plot} onPointerDown={(e) => down(e, "new")} onPointerMove={move} onPointerUp={up} onPointerCancel={() => { drag.current = undefined; setDraft(undefined); }} onDoubleClick={() => onSelect(undefined)}>
        <svg className={s.svg} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={counts ? `${plural(counts.total, "event")} from ${moment(new Date(range.from))} to ${moment(new Date(range.to))}` : "Events over time"}>
          {missing.map((m) => {
            const from = Math.max(Date.parse(m.after), range.from);
            const to = Math.min(Date.parse(m.before), range.to);
            const x = ((from - range.from) / (range.to - range.from)) * width;
            return <rect key={`${m.kind} ${m.from}`} x={x} y="0" width={Math.max(2, ((to - from) / (range.to - range.from)) * width)} height={height} style={{ fill: tokens.colorStatusDangerBackground2 }} />;
          })}
          {drawn.map((b) => (
            <g key={b.start}>
              <title>{`${moment(new Date(b.start))}: ${plural(b.total, "event")}`}</title>
              {b.parts.map((p) => <rect key={p.tone} x={b.x} y={p.y + 4} width={b.width} height={p.height} style={{ fill: colors[p.tone] }} />)}
            </g>
          ))}
        </svg>
        {(counts?.alerts ?? []).map((a) => {
          const t = Date.parse(a.time);
          if (t < range.from || t > range.to) return null;
          return <button key={a.id} type="button" className={s.arrow} style={{ left: left(t) }} aria-label={`Alert: ${a.title}, ${a.severity}`} title={`Alert: ${a.title} (${a.severity}), ${moment(new Date(t))}`} onPointerDown={(e) => e.stopPropagation()} onClick={() => onAlert(a.id)}>▼</button>;
        })}
        {(counts?.investigations ?? []).map((i) => {
          const t = Date.parse(i.started_at);
          if (t < range.from || t > range.to) return null;
          return <button key={i.id} type="button" className={mergeClasses(s.arrow, s.searched)} style={{ left: left(t) }} aria-label={`Investigation ${i.id}: ${stateWord(i.state)[0]}`} title={`Investigation ${i.id} (${stateWord(i.state)[0]}), ${moment(new Date(t))}`} onPointerDown={(e) => e.stopPropagation()} onClick={() => onInvestigation(i.id)}>▼</button>;
        })}
        {(counts?.flags ?? []).map((f) => {
          const t = Date.parse(f.time);
          if (t < range.from || t > range.to) return null;
          return <button key={f.id} type="button" className={mergeClasses(s.arrow, s.flagged)} style={{ left: left(t) }} aria-label={`Events before the flagged one of ${moment(new Date(t))}`} title={`Flagged event, ${moment(new Date(t))}: shows what was before it`} onPointerDown={(e) => e.stopPropagation()} onClick={() => onFlag(t)}>⚑</button>;
        })}
        <div className={mergeClasses(s.sel, !shown && s.whole)} style={{ left: left(now.from), width: `calc(${left(now.to)} - ${left(now.from)})` }} onPointerDown={(e) => down(e, "move")}>
          {(["from", "to"] as const).map((end) => (
            <button
              key={end}
              type="button"
              role="slider"
              className={s.handle}
              style={end === "from" ? { left: shown ? "-7px" : "0" } : { right: shown ? "-7px" : "0" }}
              aria-label={end === "from" ? "Beginning of the highlighted range" : "End of the highlighted range"}
              aria-valuemin={range.from}
              aria-valuemax={range.to}
              aria-valuenow={Math.round(now[end])}
              aria-valuetext={moment(new Date(now[end]))}
              title="Drag, or arrow keys; with Shift both ends; + and − zoom"
              onPointerDown={(e) => down(e, end)}
              onKeyDown={(e) => key(e, end)}
            />
          ))}
        </div>
      </div>
      <div className={s.axis} aria-hidden>
        {ticks(range, 8).map((t) => (
          <span key={t} className={s.tick} style={{ left: left(t) }}>{long ? day(new Date(t)) : timeOfDay(new Date(t))}</span>
        ))}
      </div>
      <div className={s.foot}>
        {tones.filter((t) => used.has(t.tone)).map((t) => (
          <span key={t.tone} className={s.key}><span className={s.dot} style={{ backgroundColor: colors[t.tone] }} aria-hidden />{t.word}</span>
        ))}
        {(counts?.alerts.length ?? 0) > 0 && <span className={s.key}><span style={{ color: tokens.colorStatusDangerForeground1 }} aria-hidden>▼</span>Alert</span>}
        {(counts?.investigations.length ?? 0) > 0 && <span className={s.key}><span style={{ color: tokens.colorBrandForeground1 }} aria-hidden>▼</span>Investigation</span>}
        {(counts?.flags.length ?? 0) > 0 && <span className={s.key}><span aria-hidden>⚑</span>Flagged</span>}
        <span className={s.read}>
          <span role="status">{inside === undefined ? "" : `${number(inside)} of ${plural(counts?.total ?? 0, "event")}, ${moment(new Date(now.from))} – ${moment(new Date(now.to))}`}</span>
          <Button size="small" appearance="subtle" icon={<ZoomInRegular />} disabled={!sel} onClick={() => sel && onZoom(sel)}>Zoom in</Button>
          <Button size="small" appearance="subtle" icon={<ArrowResetRegular />} disabled={!sel} onClick={() => onSelect(undefined)}>All</Button>
        </span>
      </div>
    </div>
  );
}
