import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { ArrowDownRegular, ArrowUpRegular } from "@fluentui/react-icons";
import { useEffect, useRef, type ReactNode } from "react";
import { Hidden } from "./Hidden";
import { titleOfCut } from "./cut";

export interface Column<T> {
  key: string;
  title: string;
  /** Width in pixels; the column that grows takes what is left, at least this. */
  width: number;
  grow?: boolean;
  /** Its text may take two lines; what grows may anyway. */
  wrap?: boolean;
  align?: "end";
  /** Sort key of the server and the order of the first click. */
  sort?: { key: string; first: "asc" | "desc" };
  /** Hidden until chosen under Customize columns. */
  optional?: boolean;
  render: (row: T) => ReactNode;
}

export interface DataTableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  /** What a row is called where it can be picked. */
  rowName?: (row: T) => string;
  sort: readonly string[];
  onSort: (key: string, add: boolean, first: "asc" | "desc") => void;
  /** Key of the row whose flyout is shown. */
  open?: string;
  onOpen?: (key: string) => void;
  compact: boolean;
  /** Rows of an older answer are shown while a new one is on its way. */
  busy: boolean;
  onScrolled?: (top: boolean) => void;
  /** Keys of the rows that are picked; with onPick, rows can be. */
  picked?: ReadonlySet<string>;
  onPick?: (keys: readonly string[], on: boolean) => void;
}

const useStyles = makeStyles({
  scroll: {
    overflow: "auto",
    flexGrow: 1,
    minHeight: 0,
    borderTop: `1px solid ${tokens.colorNeutralStroke2}`,
    "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" },
  },
  table: { borderCollapse: "separate", borderSpacing: 0, tableLayout: "fixed", minWidth: "100%", fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300 },
  head: {
    position: "sticky",
    top: 0,
    zIndex: 1,
    textAlign: "start",
    padding: 0,
    height: "38px",
    fontWeight: tokens.fontWeightSemibold,
    fontSize: tokens.fontSizeBase200,
    color: tokens.colorNeutralForeground2,
    backgroundColor: tokens.colorNeutralBackground1,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    whiteSpace: "nowrap",
  },
  plain: { margin: "0 12px", display: "block" },
  button: {
    display: "flex",
    alignItems: "center",
    gap: "4px",
    width: "100%",
    height: "37px",
    padding: "0 12px",
    border: "none",
    background: "none",
    font: "inherit",
    color: "inherit",
    cursor: "pointer",
    textAlign: "start",
    "&:hover": { backgroundColor: "var(--colorSurfaceHover)", color: tokens.colorNeutralForeground1 },
    "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" },
  },
  buttonEnd: { justifyContent: "flex-end" },
  title: { whiteSpace: "normal", lineHeight: "15px", maxHeight: "30px", overflow: "hidden" },
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way to end the second line with dots
  lines: { whiteSpace: "normal", overflowWrap: "anywhere", lineHeight: "19px", maxHeight: "38px", overflow: "hidden", display: "-webkit-box", WebkitBoxOrient: "vertical", WebkitLineClamp: "2" },
  order: { fontSize: "10px", color: tokens.colorNeutralForeground3 },
  row: {
    scrollMarginTop: "40px",
    cursor: "pointer",
    "&:hover > td": { backgroundColor: "var(--colorSurfaceHover)" },
    "&:focus-within > td": { backgroundColor: "var(--colorSurfaceHover)" },
  },
  still: { cursor: "default" },
  openRow: {
    "& > td": { backgroundColor: tokens.colorBrandBackground2 },
    "&:hover > td": { backgroundColor: tokens.colorBrandBackground2Hover },
    "& > td:first-child": { boxShadow: `inset 3px 0 0 ${tokens.colorCompoundBrandStroke}` },
  },
  cell: {
    height: "42px",
    padding: "0 12px",
    overflow: "hidden",
    textOverflow: "ellipsis",
    whiteSpace: "nowrap",
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
    boxSizing: "border-box",
    color: tokens.colorNeutralForeground1,
  },
  compact: { height: "32px", fontSize: tokens.fontSizeBase200 },
  pick: { width: "40px", padding: "0 0 0 10px", overflow: "hidden" },
  box: { width: "16px", height: "16px", margin: 0, verticalAlign: "middle", cursor: "pointer", accentColor: tokens.colorCompoundBrandBackground },
  end: { textAlign: "end", fontVariantNumeric: "tabular-nums" },
  busy: { opacity: 0.6, transition: "opacity 150ms 250ms" },
});

const typing = (e: KeyboardEvent): boolean => {
  const t = e.target as HTMLElement | null;
  return e.ctrlKey || e.metaKey || e.altKey || !!t?.closest("input, textarea, select, [contenteditable=true], [role=menu], [role=listbox]");
};

/**
 * A list. Plain elements for speed: a page has at most 100 rows. A click on a
 * row opens it; j and k move from row to row, o opens. The rows' first links
 * take the focus.
 */
export function DataTable<T>(p: DataTableProps<T>) {
  const s = useStyles();
  const box = useRef<HTMLDivElement>(null);
  const { rows, rowKey, onOpen, open } = p;

  useEffect(() => {
    const move = (e: KeyboardEvent) => {
      if (typing(e) || !box.current || !["j", "k", "o"].includes(e.key)) return;
      const all = [...box.current.querySelectorAll<HTMLTableRowElement>("tbody tr")];
      const held = all.findIndex((r) => r.contains(document.activeElement));
      const at = held >= 0 ? held : rows.findIndex((r) => rowKey(r) === open);
      if (e.key === "o") {
        const row = rows[at];
        if (row && onOpen) onOpen(rowKey(row));
        return;
      }
      const to = e.key === "j" ? Math.min(at + 1, all.length - 1) : Math.max(at - 1, 0);
      const row = rows[to];
      all[to]?.querySelector<HTMLElement>("a, button")?.focus();
      if (open && row && onOpen) onOpen(rowKey(row));
      e.preventDefault();
    };
    document.addEventListener("keydown", move);
    return () => document.removeEventListener("keydown", move);
  }, [rows, rowKey, onOpen, open]);

  const shown = rows.length > 0;
  useEffect(() => {
    if (!open || !shown) return;
    const all = [...(box.current?.querySelectorAll<HTMLElement>("tbody tr") ?? [])];
    all.find((r) => r.dataset.key === open)?.scrollIntoView({ block: "nearest" });
  }, [open, shown]);

  const { picked, onPick } = p;
  const least = p.columns.reduce((n, c) => n + c.width, onPick ? 40 : 0);
  const every = rows.length > 0 && rows.every((r) => picked?.has(rowKey(r)));
  const some = !every && rows.some((r) => picked?.has(rowKey(r)));
  return (
    <div ref={box} className={s.scroll} tabIndex={0} role="region" aria-label={p.label} onScroll={(e) => p.onScrolled?.(e.currentTarget.scrollTop < 8)}>
      <table className={s.table} style={{ width: `max(100%, ${least}px)` }} aria-busy={p.busy}>
        <caption><Hidden>{p.label}</Hidden></caption>
        <colgroup>
          {onPick && <col style={{ width: 40 }} />}
          {p.columns.map((c) => (
            <col key={c.key} style={c.grow ? undefined : { width: c.width }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {onPick && (
              <th scope="col" className={mergeClasses(s.head, s.pick)}>
                <input type="checkbox" className={s.box} aria-label="Select all rows of this page" checked={every} ref={(b) => { if (b) b.indeterminate = some; }} onChange={() => onPick(rows.map(rowKey), !every)} />
              </th>
            )}
            {p.columns.map((c) => {
              const at = c.sort ? p.sort.findIndex((k) => k === c.sort?.key || k === `-${c.sort?.key}`) : -1;
              const down = at >= 0 && (p.sort[at] ?? "").startsWith("-");
              return (
                <th key={c.key} scope="col" className={s.head} aria-sort={at < 0 ? undefined : down ? "descending" : "ascending"}>
                  {c.sort ? (
                    <button
                      type="button"
                      className={mergeClasses(s.button, c.align && s.buttonEnd)}
                      title={`${c.title}: sort; with Shift, sort by this too`}
                      onClick={(e) => c.sort && p.onSort(c.sort.key, e.shiftKey, c.sort.first)}
                    >
                      <span className={s.title}>{c.title}</span>
                      {at >= 0 && (down ? <ArrowDownRegular aria-hidden /> : <ArrowUpRegular aria-hidden />)}
                      {at >= 0 && p.sort.length > 1 && <span className={s.order}>{at + 1}</span>}
                    </button>
                  ) : (
                    <span className={mergeClasses(s.title, s.plain, c.align && s.end)}>{c.title}</span>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody className={p.busy ? s.busy : undefined} onMouseOver={titleOfCut} onFocus={titleOfCut}>
          {rows.map((row) => {
            const key = rowKey(row);
            return (
              <tr
                key={key}
                data-key={key}
                className={mergeClasses(s.row, !onOpen && s.still, key === open && s.openRow)}
                onClick={(e) => {
                  const selecting = (window.getSelection()?.toString() ?? "") !== "";
                  if (onOpen && !selecting && !(e.target as HTMLElement).closest("a, button, input")) onOpen(key);
                }}
              >
                {onPick && (
                  <td className={mergeClasses(s.cell, p.compact && s.compact, s.pick)}>
                    <input type="checkbox" className={s.box} aria-label={`Select ${p.rowName?.(row) ?? key}`} checked={picked?.has(key) ?? false} onChange={(e) => onPick([key], e.currentTarget.checked)} />
                  </td>
                )}
                {p.columns.map((c) => (
                  <td key={c.key} className={mergeClasses(s.cell, p.compact && s.compact, c.align && s.end)}>
                    {(c.grow ?? c.wrap) && !p.compact ? <div className={s.lines}>{c.render(row)}</div> : c.render(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
