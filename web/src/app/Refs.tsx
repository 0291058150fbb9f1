import { Button, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useQuery, type UseQueryOptions } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { explain } from "../api/client";
import type { Page } from "../api/schema";
import { plural } from "../lib/format";
import { Empty } from "../ui/Empty";
import { Hidden } from "../ui/Hidden";

const useStyles = makeStyles({
  table: { width: "100%", borderCollapse: "collapse", tableLayout: "fixed" },
  head: { textAlign: "start", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2, padding: "6px 8px 6px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  cell: { padding: "8px 8px 8px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, verticalAlign: "top", overflowWrap: "anywhere" },
  foot: { display: "flex", alignItems: "center", gap: "12px", paddingTop: "10px", color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
});

export interface RefColumn<T> {
  key: string;
  title: string;
  width?: string;
  render: (row: T) => ReactNode;
}

const step = 30;

/** A short table inside a flyout, page by page. */
export function Refs<T>({ label, query, columns, rowKey, empty, what, many }: {
  label: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- every resource has a key type of its own
  query: (q: Record<string, string>) => UseQueryOptions<Page<T>, Error, Page<T>, any>;
  columns: readonly RefColumn<T>[];
  rowKey: (row: T) => string;
  empty: string;
  what: string;
  many?: string;
}) {
  const s = useStyles();
  const [page, setPage] = useState(1);
  const { data, error } = useQuery(query({ page: String(page), size: String(step) }));
  if (error && !data) return <Empty small title="This could not be read">{explain(error)}</Empty>;
  if (!data) return <Spinner size="small" label="Reading …" />;
  if (data.total === 0) return <Empty small title={empty} />;
  const last = Math.ceil(data.total / step);
  return (
    <>
      <table className={s.table}>
        <caption><Hidden>{label}</Hidden></caption>
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c.key} scope="col" className={s.head} style={{ width: c.width }}>{c.title}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.items.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((c) => (
                <td key={c.key} className={s.cell}>{c.render(row)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <div className={s.foot}>
        <span>{plural(data.total, what, many)}</span>
        {last > 1 && (
          <>
            <Button size="small" disabled={page <= 1} onClick={() => setPage(page - 1)}>Previous</Button>
            <span>{`Page ${page} of ${last}`}</span>
            <Button size="small" disabled={page >= last} onClick={() => setPage(page + 1)}>Next</Button>
          </>
        )}
      </div>
    </>
  );
}
