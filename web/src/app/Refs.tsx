import { Button, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useQuery, type UseQueryOptions } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../api/client";
import type { Page } from "../api/schema";
import { plural } from "../lib/format";
import { Empty } from "../ui/Empty";
import { PlainTable, type PlainColumn } from "../ui/PlainTable";

const useStyles = makeStyles({
  foot: { display: "flex", alignItems: "center", gap: "12px", paddingTop: "10px", color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
});

export type RefColumn<T> = PlainColumn<T>;

const step = 30;

/** A short table inside a flyout, page by page, in the order of a column that is clicked. */
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
  const [sort, setSort] = useState("");
  const { data, error } = useQuery(query({ page: String(page), size: String(step), ...(sort === "" ? {} : { sort }) }));
  if (error && !data) return <Empty small title="This could not be read">{explain(error)}</Empty>;
  if (!data) return <Spinner size="small" label="Reading …" />;
  if (data.total === 0) return <Empty small title={empty} />;
  const last = Math.ceil(data.total / step);
  return (
    <>
      <PlainTable label={label} columns={columns} rows={data.items} rowKey={rowKey} sort={sort} onSort={(by) => { setSort(by); setPage(1); }} />
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
