import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { useEffect, useRef } from "react";
import type { Completion } from "../../lib/kql";

const useStyles = makeStyles({
  list: { position: "fixed", zIndex: 300, width: "400px", maxHeight: "220px", overflow: "auto", margin: 0, padding: "4px", listStyle: "none", backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorNeutralForeground1, border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusMedium, boxShadow: tokens.shadow16, fontSize: tokens.fontSizeBase200 },
  item: { display: "flex", gap: "8px", padding: "3px 8px", borderRadius: tokens.borderRadiusSmall, cursor: "pointer", whiteSpace: "nowrap" },
  on: { backgroundColor: tokens.colorBrandBackground2, color: tokens.colorNeutralForeground1 },
  name: { fontFamily: tokens.fontFamilyMonospace, flexShrink: 0 },
  about: { color: tokens.colorNeutralForeground2, overflow: "hidden", textOverflow: "ellipsis", flexGrow: 1 },
  kind: { color: tokens.colorNeutralForeground2, flexShrink: 0 },
});

/** What may be written at a place of the editor, below it. */
export function CompletionList({ items, chosen, onTake, line, column, spot }: { items: readonly Completion[]; chosen: number; onTake: (c: Completion) => void; line: number; column: number; spot: { left: number; top: number } }) {
  const s = useStyles();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const top = spot.top + line * 20 + 2;
  const left = `min(calc(${spot.left}px + ${column} * 7.8px), calc(100vw - 410px))`;
  return (
    <ul ref={list} id="hunt-completions" role="listbox" aria-label="Completions" className={s.list} style={{ top: Math.min(top, window.innerHeight - 230), left }}>
      {items.map((c, i) => (
        <li key={`${c.kind} ${c.text}`} id={`hunt-completion-${i}`} role="option" aria-selected={i === chosen} className={mergeClasses(s.item, i === chosen && s.on)} onMouseDown={(e) => { e.preventDefault(); onTake(c); }} title={c.about}>
          <span className={s.name}>{c.text}</span>
          <span className={s.about}>{c.kind === "function" || c.kind === "operator" ? c.detail || c.about : c.about}</span>
          <span className={s.kind}>{c.kind === "column" ? c.detail : c.kind}</span>
        </li>
      ))}
    </ul>
  );
}
