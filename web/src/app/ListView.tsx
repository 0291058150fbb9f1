import { Button, MessageBar, MessageBarBody, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowUpRegular, SearchRegular } from "@fluentui/react-icons";
import { useQuery, type UseQueryOptions } from "@tanstack/react-query";
import { useCallback, useState, type ReactNode } from "react";
import { address, explain } from "../api/client";
import type { Page } from "../api/schema";
import { plural } from "../lib/format";
import { apiQuery, formatList, nextSort, type ListSpec, type RawSearch } from "../lib/search";
import { ColumnPanel } from "../ui/ColumnPanel";
import { CommandBar } from "../ui/CommandBar";
import { DataTable, type Column } from "../ui/DataTable";
import { Empty } from "../ui/Empty";
import { FilterPanel, type FilterGroup } from "../ui/FilterPanel";
import { FilterPills } from "../ui/FilterPills";
import { Pager } from "../ui/Pager";
import { Moment } from "../ui/Time";
import { setPrefs, usePrefs } from "./prefs";
import { useHeld } from "./useHeld";
import { useList } from "./useList";

/** What a flyout needs to stand in a list. */
export interface FlyoutFrame {
  onClose: () => void;
  onPrevious?: () => void;
  onNext?: () => void;
  view: string;
  onView: (view: string) => void;
}

export interface ListViewProps<T> {
  /** Key of the list's preferences. */
  name: string;
  label: string;
  spec: ListSpec;
  groups: readonly FilterGroup[];
  columns: readonly Column<T>[];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- every resource has a key type of its own
  query: (q: RawSearch) => UseQueryOptions<Page<T>, Error, Page<T>, any>;
  rowKey: (row: T) => string;
  searchLabel: string;
  /** Path of the export under the console API. */
  exportPath?: string;
  /** A query that always holds, beside what the URL says. `query` must have it already; this is for the export. */
  fixed?: RawSearch;
  /** Filters that the page sets itself: the panel and "Clear all" leave them as they are. */
  keep?: readonly string[];
  /** Further commands, at the left. */
  commands?: ReactNode;
  /** Shown when there is nothing at all, filters aside. */
  empty: ReactNode;
  flyout?: (id: string, frame: FlyoutFrame, row: T | undefined) => ReactNode;
  /** What can be done with several rows at once: rows can be picked, and these commands show. */
  actions?: (keys: readonly string[], rows: readonly T[], clear: () => void) => ReactNode;
  rowName?: (row: T) => string;
}

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", flexGrow: 1, minHeight: "320px", minWidth: 0 },
  wait: { padding: "48px", flexGrow: 1 },
  fresh: { display: "flex", justifyContent: "center", height: 0, overflow: "visible", position: "relative", zIndex: 2, "& > button": { marginTop: "44px", height: "30px", boxShadow: tokens.shadow8 } },
  bar: { marginBottom: "10px", flexShrink: 0 },
});

/** The picked rows after some were picked or left out. */
function pick<T>(now: ReadonlyMap<string, T>, rows: readonly T[], rowKey: (row: T) => string, keys: readonly string[], on: boolean): ReadonlyMap<string, T> {
  const next = new Map(now);
  for (const row of rows) if (on && keys.includes(rowKey(row))) next.set(rowKey(row), row);
  if (!on) for (const k of keys) next.delete(k);
  return next;
}

/** A list with everything that lists have: search, filters, columns, order, pages, export, flyout, live rows. */
export function ListView<T>(p: ListViewProps<T>) {
  const s = useStyles();
  const { state, dropped, set } = useList(p.spec);
  const { columns: chosen, density } = usePrefs();
  const [picked, setPicked] = useState<ReadonlyMap<string, T>>(new Map());
  const [panel, setPanel] = useState<"filter" | "columns" | "">("");
  const query = apiQuery(state, true);
  const { data, error, isPlaceholderData, refetch } = useQuery(p.query(query));
  const held = useHeld(JSON.stringify(query), data, isPlaceholderData, p.rowKey, state.open !== "");

  const own = p.columns.filter((c) => !c.optional).map((c) => c.key);
  const shown = chosen[p.name] ?? own;
  const columns = p.columns.filter((c, i) => i === 0 || shown.includes(c.key));
  const rows = held.rows;
  const at = rows.findIndex((r) => p.rowKey(r) === state.open);
  const kept = Object.fromEntries(Object.entries(state.filters).filter(([k]) => p.keep?.includes(k)));
  const filtered = state.q !== "" || Object.entries(state.filters).some(([k, v]) => v.length > 0 && !p.keep?.includes(k));
  const nothing = data !== undefined && held.rows.length === 0 && held.waiting === 0;
  // Filters that hold at first are nobody's choice: without any row behind them, too, there is nothing at all.
  const untouched = nothing && filtered && Object.keys(formatList(p.spec, { ...state, sort: [...p.spec.sort], open: "", view: "" }, state.size)).every((k) => p.keep?.includes(k));
  const all = useQuery({ ...p.query(apiQuery({ ...state, filters: kept, size: 1 }, true)), enabled: untouched });
  const { flyout } = p;

  const open = useCallback((id: string) => { setPanel(""); set({ open: id, view: "" }, state.open !== ""); }, [set, state.open]);
  const step = (to: number): (() => void) | undefined => {
    const row = at >= 0 ? rows[to] : undefined;
    return row === undefined ? undefined : () => set({ open: p.rowKey(row) }, true);
  };
  const show = (which: "filter" | "columns") => {
    if (state.open !== "") set({ open: "", view: "" });
    setPanel(which);
  };
  const exportOf = (format: string): string => address(`${p.exportPath ?? ""}/export`, { ...apiQuery(state, false), ...p.fixed, format });

  let body: ReactNode;
  if (error && !data) {
    body = <Empty title="This list could not be read" action={<Button onClick={() => void refetch()}>Try again</Button>}>{explain(error)}</Empty>;
  } else if (!data) {
    body = <Spinner className={s.wait} label={`Reading ${p.label.toLowerCase()} …`} />;
  } else if (nothing) {
    body = (filtered || state.page > 1) && !(untouched && all.data?.total === 0) ? (
      <Empty icon={<SearchRegular />} title="Nothing matches" action={<Button onClick={() => set({ q: "", filters: kept, page: 1 })}>Clear search and filters</Button>}>
        No item matches the search and filters that hold. Remove a filter or search for something else.
      </Empty>
    ) : p.empty;
  } else {
    body = (
      <>
        {held.waiting > 0 && (
          <div className={s.fresh}>
            <Button appearance="primary" shape="circular" size="small" icon={<ArrowUpRegular />} onClick={held.take}>{`${held.waiting} new`}</Button>
          </div>
        )}
        <DataTable
          label={p.label}
          columns={columns}
          rows={rows}
          rowKey={p.rowKey}
          sort={state.sort}
          onSort={(key, add, first) => set({ sort: nextSort(state.sort, key, add, first) })}
          open={state.open}
          onOpen={flyout ? open : undefined}
          compact={density === "compact"}
          busy={isPlaceholderData}
          onScrolled={held.scrolled}
          rowName={p.rowName}
          picked={p.actions && new Set(picked.keys())}
          onPick={p.actions && ((keys, on) => setPicked((now) => pick(now, rows, p.rowKey, keys, on)))}
        />
      </>
    );
  }
  return (
    <div className={s.root}>
      <CommandBar
        q={state.q}
        searchLabel={p.searchLabel}
        onSearch={(q) => set({ q }, true)}
        count={data ? plural(data.total, "item") : ""}
        exports={p.exportPath ? { csv: exportOf("csv"), jsonl: exportOf("jsonl") } : undefined}
        onColumns={() => show("columns")}
        onFilter={p.groups.length > 0 ? () => show("filter") : undefined}
      >
        {p.commands}
        {p.actions && picked.size > 0 && p.actions([...picked.keys()], [...picked.values()], () => setPicked(new Map()))}
      </CommandBar>
      {dropped.length > 0 && (
        <MessageBar intent="warning" className={s.bar}>
          <MessageBarBody>{`Parts of the address are not understood and left out: ${dropped.slice(0, 5).join(", ")}${dropped.length > 5 ? " …" : ""}`}</MessageBarBody>
        </MessageBar>
      )}
      {error && data && (
        <MessageBar intent="warning" className={s.bar}>
          <MessageBarBody>{`These rows may be old: ${explain(error)}`}</MessageBarBody>
        </MessageBar>
      )}
      <FilterPills groups={p.groups} values={state.filters} onEdit={() => show("filter")} onClear={() => set({ filters: kept })} onRemove={(name) => set({ filters: { ...state.filters, [name]: [] } })} />
      {body}
      <Pager
        page={state.page}
        size={state.size}
        total={data?.total ?? 0}
        onPage={(page) => set({ page })}
        onSize={(size) => {
          setPrefs({ size });
          set({ size });
        }}
      >
        {data && <>As of <Moment at={data.as_of} /></>}
      </Pager>
      {panel === "filter" && (
        <FilterPanel
          groups={p.groups}
          values={state.filters}
          onClose={() => setPanel("")}
          onApply={(filters) => {
            set({ filters: { ...kept, ...filters } });
            setPanel("");
          }}
        />
      )}
      {panel === "columns" && (
        <ColumnPanel
          columns={p.columns}
          shown={shown}
          onClose={() => setPanel("")}
          onChange={(keys) => setPrefs({ columns: { ...chosen, [p.name]: keys } })}
          onReset={() => setPrefs({ columns: Object.fromEntries(Object.entries(chosen).filter(([k]) => k !== p.name)) })}
        />
      )}
      {flyout && state.open !== "" && flyout(
        state.open,
        { onClose: () => set({ open: "", view: "" }), onPrevious: step(at - 1), onNext: step(at + 1), view: state.view, onView: (view) => set({ view }, true) },
        at >= 0 ? rows[at] : undefined,
      )}
    </div>
  );
}
