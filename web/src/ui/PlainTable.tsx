import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { Hidden } from "./Hidden";

const useStyles = makeStyles({
  table: { width: "100%", borderCollapse: "collapse", tableLayout: "fixed" },
  head: { textAlign: "start", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2, padding: "6px 8px 6px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, verticalAlign: "bottom" },
  cell: { padding: "8px 8px 8px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, verticalAlign: "top", overflowWrap: "anywhere" },
  middle: { verticalAlign: "middle" },
  end: { textAlign: "end", fontVariantNumeric: "tabular-nums", "&:not(:last-child)": { paddingRight: "24px" } },
});

export interface PlainColumn<T> {
  key: string;
  title: string;
  width?: string;
  align?: "end";
  render: (row: T) => ReactNode;
}

/** A short table inside a flyout or card. */
export function PlainTable<T>({ label, columns, rows, rowKey, middle }: { label: string; columns: readonly PlainColumn<T>[]; rows: readonly T[]; rowKey: (row: T) => string; middle?: boolean }) {
  const s = useStyles();
  return (
    <table className={s.table}>
      <caption><Hidden>{label}</Hidden></caption>
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c.key} scope="col" className={mergeClasses(s.head, c.align && s.end)} style={{ width: c.width }}>{c.title}</th>
          ))}
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
