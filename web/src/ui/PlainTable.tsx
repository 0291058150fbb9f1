import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { ArrowDownRegular, ArrowUpRegular } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import { Hidden } from "./Hidden";

const useStyles = makeStyles({
  table: { width: "100%", borderCollapse: "collapse", tableLayout: "fixed" },
  head: { textAlign: "start", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2, padding: "6px 8px 6px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, verticalAlign: "bottom" },
  cell: { padding: "8px 8px 8px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, verticalAlign: "top", overflowWrap: "anywhere" },
  order: {
    display: "inline-flex", alignItems: "center", gap: "4px", border: "none", background: "none", padding: 0, font: "inherit", color: "inherit", textAlign: "inherit", cursor: "pointer",
    "&:hover": { color: tokens.colorNeutralForeground1, textDecorationLine: "underline" },
    "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "1px" },
  },
  middle: { verticalAlign: "middle" },
  end: { textAlign: "end", fontVariantNumeric: "tabular-nums", "&:not(:last-child)": { paddingRight: "24px" } },
});

const nextOrder = (now: string | undefined, by: { key: string; first: "asc" | "desc" }): string =>
  now === by.key ? `-${by.key}` : now === `-${by.key}` ? by.key : by.first === "desc" ? `-${by.key}` : by.key;

export interface PlainColumn<T> {
  key: string;
  title: string;
  width?: string;
  align?: "end";
  /** Sort key and the order of the first click; it takes an `onSort` of the table. */
  sort?: { key: string; first: "asc" | "desc" };
  render: (row: T) => ReactNode;
}

/** A short table inside a flyout or card. `sort` is its order, as lists have it: "-cvss". */
export function PlainTable<T>({ label, columns, rows, rowKey, middle, sort, onSort }: { label: string; columns: readonly PlainColumn<T>[]; rows: readonly T[]; rowKey: (row: T) => string; middle?: boolean; sort?: string; onSort?: (sort: string) => void }) {
  const s = useStyles();
  return (
    <table className={s.table}>
      <caption><Hidden>{label}</Hidden></caption>
      <thead>
        <tr>
          {columns.map((c) => {
            const by = onSort && c.sort;
            const at = by !== undefined && sort?.replace(/^-/, "") === by.key;
            const down = at && sort.startsWith("-");
            return (
              <th key={c.key} scope="col" className={mergeClasses(s.head, c.align && s.end)} style={{ width: c.width }} aria-sort={!at ? undefined : down ? "descending" : "ascending"}>
                {by ? (
                  <button type="button" className={s.order} title={`${c.title}: sort`} onClick={() => onSort(nextOrder(sort, by))}>
                    {c.title}
                    {at && (down ? <ArrowDownRegular aria-hidden /> : <ArrowUpRegular aria-hidden />)}
                  </button>
                ) : c.title}
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map((c) => (
              <td key={c.key} className={mergeClasses(s.cell, middle && s.middle, c.align && s.end)}>{c.render(row)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
