import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { ArrowDownRegular, ArrowUpRegular } from "@fluentui/react-icons";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { moment, time } from "../../lib/format";
import type { HuntColumn } from "../../lib/huntChart";
import { cellText, type Cell } from "../../lib/kql";

const high = 30;
const ahead = 12;

const useStyles = makeStyles({
  box: { overflow: "auto", flexGrow: 1, minHeight: "120px", position: "relative", borderTop: `1px solid ${tokens.colorNeutralStroke2}`, fontSize: tokens.fontSizeBase200, "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" } },
  head: { position: "sticky", top: 0, zIndex: 1, display: "flex", height: "34px", minWidth: "100%", width: "max-content", backgroundColor: tokens.colorNeutralBackground1, borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  title: { flexShrink: 0, display: "flex" },
  sort: { width: "100%", border: "none", background: "none", font: "inherit", fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground1, textAlign: "start", padding: "0 12px", cursor: "pointer", display: "flex", alignItems: "center", gap: "4px", overflow: "hidden", whiteSpace: "nowrap", "&:hover": { backgroundColor: tokens.colorNeutralBackground1Hover }, "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" } },
  body: { position: "relative", minWidth: "100%" },
  row: { position: "absolute", left: 0, display: "flex", height: `${high}px`, minWidth: "100%", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, cursor: "pointer", boxSizing: "border-box", "&:hover": { backgroundColor: tokens.colorNeutralBackground1Hover } },
  on: { backgroundColor: tokens.colorNeutralBackground1Selected },
  cell: { flexShrink: 0, boxSizing: "border-box", padding: "6px 12px", overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  end: { textAlign: "end", fontVariantNumeric: "tabular-nums" },
});

const numeric = (type: string): boolean => type === "long" || type === "int" || type === "real";

/** A value as people read it. */
export function shown(v: Cell | undefined, type: string): string {
  if (type === "datetime" && typeof v === "string") {
    const at = time(v);
    if (at) return `${moment(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  }
  return cellText(v);
}

function widthOf(c: HuntColumn, i: number, rows: readonly (readonly Cell[])[]): number {
  if (c.type === "datetime") return 200;
  let most = c.name.length + 3;
  for (let n = 0; n < Math.min(rows.length, 200); n++) most = Math.max(most, cellText(rows[n]?.[i]).length);
  return Math.max(80, Math.min(360, most * 7.2 + 26));
}

export interface GridProps {
  columns: readonly HuntColumn[];
  /** The places of the columns that are shown. */
  picked: readonly number[];
  rows: readonly (readonly Cell[])[];
  sort: string;
  onSort: (name: string) => void;
  onOpen: (row: number) => void;
  open: number;
}

/** The rows of a result; only those in sight are drawn. Arrow keys go through them, Enter opens one. */
export function ResultGrid({ columns, picked, rows, sort, onSort, onOpen, open }: GridProps) {
  const s = useStyles();
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [tall, setTall] = useState(600);
  const [at, setAt] = useState(0);
  useEffect(() => {
    const el = box.current;
    if (!el || typeof ResizeObserver === "undefined") return undefined;
    const see = new ResizeObserver(() => setTall(el.clientHeight));
    see.observe(el);
    return () => see.disconnect();
  }, []);
  const widths = picked.map((i) => widthOf(columns[i] ?? { name: "", type: "" }, i, rows));
  const wide = widths.reduce((a, n) => a + n, 0);
  const first = Math.max(0, Math.floor(top / high) - ahead);
  const last = Math.min(rows.length, first + Math.ceil(tall / high) + 2 * ahead);
  const go = (to: number) => {
    const n = Math.max(0, Math.min(rows.length - 1, to));
    setAt(n);
    const el = box.current;
    if (!el) return;
    const y = n * high;
    if (y < el.scrollTop) el.scrollTop = y;
    else if (y + high > el.scrollTop + el.clientHeight - 34) el.scrollTop = y + high - el.clientHeight + 34;
  };
  const keys = (e: KeyboardEvent) => {
    if (e.target !== e.currentTarget) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 300) / high) - 2);
    const to = ({ ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1 } as Record<string, number>)[e.key];
    if (to !== undefined) go(to);
    else if (e.key === "Enter") onOpen(at);
    else return;
    e.preventDefault();
  };
  return (
    <div ref={box} role="grid" aria-label="Results" aria-rowcount={rows.length + 1} aria-colcount={picked.length} aria-activedescendant={rows.length > 0 && at >= first && at < last ? `hunt-row-${at}` : undefined} tabIndex={0} className={s.box} onScroll={(e) => setTop(e.currentTarget.scrollTop)} onKeyDown={keys}>
      <div role="rowgroup" className={s.head}>
        <div role="row" aria-rowindex={1} style={{ display: "flex" }}>
          {picked.map((i, n) => {
            const c = columns[i];
            const dir = sort === c?.name ? "ascending" : sort === `-${c?.name ?? ""}` ? "descending" : undefined;
            return (
              <div key={i} role="columnheader" aria-sort={dir ?? "none"} className={s.title} style={{ width: widths[n] }}>
                <button type="button" className={s.sort} title={`${c?.name ?? ""} (${c?.type ?? ""})`} onClick={() => onSort(c?.name ?? "")}>
                  {c?.name}
                  {dir && (dir === "ascending" ? <ArrowUpRegular aria-hidden /> : <ArrowDownRegular aria-hidden />)}
                </button>
              </div>
            );
          })}
        </div>
      </div>
      <div role="rowgroup" className={s.body} style={{ height: rows.length * high, width: wide }}>
        {rows.slice(first, last).map((r, k) => {
          const n = first + k;
          return (
            <div key={n} id={`hunt-row-${n}`} role="row" aria-rowindex={n + 2} aria-selected={n === open} className={mergeClasses(s.row, (n === open || n === at) && s.on)} style={{ top: n * high }} onClick={() => { setAt(n); onOpen(n); }}>
              {picked.map((i, c) => (
                <div key={i} role="gridcell" className={mergeClasses(s.cell, numeric(columns[i]?.type ?? "") && s.end)} style={{ width: widths[c] }}>{shown(r[i], columns[i]?.type ?? "").slice(0, 400)}</div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
