import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { AppGenericRegular, BoxRegular, CalendarClockRegular, DocumentRegular, GlobeRegular, PersonRegular, SettingsRegular } from "@fluentui/react-icons";
import type { TimelineEvent } from "../../api/schema";
import { useEffect, useRef } from "react";
import { place } from "../../lib/entityGraph";

const w = 138;
const h = 46;
const gap = { x: 46, y: 14 };

const icons: Record<string, typeof BoxRegular> = { process: AppGenericRegular, file: DocumentRegular, ip: GlobeRegular, url: GlobeRegular, user: PersonRegular, service: SettingsRegular, task: CalendarClockRegular, package: BoxRegular };

const useStyles = makeStyles({
  box: { overflow: "auto", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, backgroundColor: tokens.colorNeutralBackground2, padding: "14px", maxHeight: "340px", flexShrink: 0 },
  field: { position: "relative" },
  lines: { position: "absolute", inset: 0, pointerEvents: "none", overflow: "visible" },
  node: { position: "absolute", display: "flex", alignItems: "center", gap: "8px", boxSizing: "border-box", padding: "0 10px", font: "inherit", fontSize: tokens.fontSizeBase200, textAlign: "start", color: tokens.colorNeutralForeground1, backgroundColor: tokens.colorNeutralBackground1, border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusMedium, cursor: "pointer", "&:hover": { backgroundColor: tokens.colorNeutralBackground1Hover }, "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
  focus: { border: `2px solid ${tokens.colorCompoundBrandStroke}`, fontWeight: tokens.fontWeightSemibold },
  chosen: { backgroundColor: tokens.colorBrandBackground2 },
  icon: { fontSize: "20px", flexShrink: 0, color: tokens.colorNeutralForeground2 },
  words: { overflow: "hidden", textOverflow: "ellipsis", display: "block", whiteSpace: "nowrap" },
  label: { fontSize: "10px", fill: tokens.colorNeutralForeground3 },
});

/** Who started what and what was touched; a click on one shows what is known of it. */
export function EntityGraph({ e, chosen, onChoose }: { e: TimelineEvent; chosen: string; onChoose: (id: string) => void }) {
  const s = useStyles();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelector("[data-focus]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [e.id]);
  const nodes = e.nodes;
  const edges = e.edges;
  const at = new Map(place(nodes, edges).map((p) => [p.id, { x: p.column * (w + gap.x), y: p.row * (h + gap.y) }]));
  const all = [...at.values()];
  const size = { w: Math.max(...all.map((p) => p.x), 0) + w, h: Math.max(...all.map((p) => p.y), 0) + h };
  return (
    <div ref={box} className={s.box} role="group" aria-label="Event entities graph" tabIndex={0}>
      <div className={s.field} style={{ width: size.w, height: size.h }}>
        <svg className={s.lines} width={size.w} height={size.h} aria-hidden>
          {edges.map((l) => {
            const a = at.get(l.from);
            const b = at.get(l.to);
            if (!a || !b) return null;
            const [x1, y1, x2, y2] = [a.x + w, a.y + h / 2, b.x, b.y + h / 2];
            const mid = (x1 + x2) / 2;
            return (
              <g key={`${l.from} ${l.to} ${l.label}`}>
                <title>{l.label}</title>
                <path d={`M${x1} ${y1} C${mid} ${y1} ${mid} ${y2} ${x2} ${y2}`} style={{ fill: "none", stroke: tokens.colorNeutralStrokeAccessible, strokeWidth: 1.2 }} />
                <path d={`M${x2} ${y2} l-6 -3.5 v7 z`} style={{ fill: tokens.colorNeutralStrokeAccessible }} />
              </g>
            );
          })}
        </svg>
        {nodes.map((n) => {
          const p = at.get(n.id) ?? { x: 0, y: 0 };
          const Icon = icons[n.kind] ?? BoxRegular;
          const by = edges.find((l) => l.to === n.id);
          return (
            <button key={n.id} type="button" data-focus={n.focus || undefined} className={mergeClasses(s.node, n.focus && s.focus, chosen === n.id && s.chosen)} style={{ left: p.x, top: p.y, width: w, height: h }} aria-pressed={chosen === n.id} title={`${n.name}${by ? ` (${by.label})` : ""}`} onClick={() => onChoose(n.id)}>
              <Icon className={s.icon} aria-hidden />
              <span className={s.words}>{n.name}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}
