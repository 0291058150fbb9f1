import { Button, MessageBar, MessageBarBody, Select, Spinner, Switch, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowUpRegular, ClockRegular, FlagFilled, FlagRegular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { address, explain } from "../../api/client";
import type { TimelineRow } from "../../api/schema";
import { flagEvent, timeline, timelineCounts, timelineTechniques } from "../../api/timeline";
import { setPrefs, usePrefs } from "../../app/prefs";
import { useDeviceId } from "../../app/useDeviceId";
import { useList } from "../../app/useList";
import { number, plural } from "../../lib/format";
import { pageSizes, type ListSpec } from "../../lib/search";
import { chartRange, countQuery, eventGroups, highlight, iso, listQuery, shortest, type Span } from "../../lib/timeline";
import { ColumnPanel } from "../../ui/ColumnPanel";
import { CommandBar } from "../../ui/CommandBar";
import { DataTable } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { FilterPanel, type FilterGroup } from "../../ui/FilterPanel";
import { FilterPills } from "../../ui/FilterPills";
import { Completeness } from "./Completeness";
import { CustomRange } from "./CustomRange";
import { useFrozen } from "./useFrozen";
import { TimelineChart } from "./TimelineChart";
import { TimelineFlyout } from "./TimelineFlyout";
import { timelineColumns } from "./columns";

const spec: ListSpec = {
  filters: { event_group: eventGroups.map((g) => g.name), action: "any", flagged: ["true"], technique: "any", days: ["1", "7", "30"], since: "any", until: "any", from: "any", to: "any", cursor: "any" },
  sorts: ["flagged"],
  sort: [],
  defaults: { days: ["30"] },
};

const baseGroups: readonly FilterGroup[] = [
  { name: "event_group", title: "Event group", options: eventGroups.map((g) => ({ value: g.name, label: g.name, why: g.why })) },
  { name: "flagged", title: "Flag", options: [{ value: "true", label: "Flagged events" }] },
  { name: "technique", title: "ATT&CK technique", options: [], find: true },
  { name: "action", title: "Action type", options: [], free: { hint: "ProcessCreated" } },
];
const kept = ["days", "since", "until", "from", "to"];

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", flexGrow: 1, minHeight: "420px", minWidth: 0, paddingTop: "12px" },
  line: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "6px 12px", flexShrink: 0, color: tokens.colorNeutralForeground2 },
  select: { minWidth: "136px" },
  state: { marginLeft: "auto", display: "flex", alignItems: "center", gap: "8px" },
  bar: { marginBottom: "8px", flexShrink: 0 },
  wait: { padding: "48px", flexGrow: 1 },
  foot: { display: "flex", alignItems: "center", gap: "8px", padding: "8px 0", flexShrink: 0, borderTop: `1px solid ${tokens.colorNeutralStroke2}`, color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  end: { marginLeft: "auto", display: "flex", alignItems: "center", gap: "8px" },
  fresh: { display: "flex", justifyContent: "center", height: 0, overflow: "visible", position: "relative", zIndex: 2, "& > button": { marginTop: "44px", height: "30px", boxShadow: tokens.shadow8 } },
});

/** Everything that happened on a device, with a chart to move through it. */
export function TimelineTab() {
  const s = useStyles();
  const id = useDeviceId();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { state, dropped, set } = useList(spec);
  const { columns: chosen, density } = usePrefs();
  const [panel, setPanel] = useState<"filter" | "columns" | "">("");
  const [follow, setFollow] = useState(true);
  const [opened] = useState(() => Date.now());
  const { filters } = state;
  const custom = (filters.since?.length ?? 0) > 0 && (filters.until?.length ?? 0) > 0;
  const range = useMemo(() => chartRange(filters, opened), [filters, opened]);
  const sel = highlight(filters, range);
  const base = listQuery(state.q, filters, range, sel, custom);
  const cursor = filters.cursor?.[0] ?? "";
  const sorted: Record<string, string> = state.sort[0] === "-flagged" ? { sort: "-flagged" } : {};
  const query = { ...base, ...sorted, size: String(state.size), ...(cursor === "" ? {} : { cursor }) };
  // Of the whole range: the choice stays the same while it is made.
  const { data: occur } = useQuery({ ...timelineTechniques(id, { from: iso(range.from), to: iso(range.to) }), enabled: panel === "filter" || (filters.technique?.length ?? 0) > 0 });
  const panelGroups = useMemo(() => baseGroups.map((g) => (g.name === "technique" ? { ...g, options: (occur ?? []).map((t) => ({ value: t.id, label: `${t.id} ${t.name}${t.events > 0 ? ` (${number(t.events)})` : ""}` })) } : g)), [occur]);
  const counts = useQuery(timelineCounts(id, countQuery(state.q, filters, range)));
  const { data, error, isPlaceholderData, refetch } = useQuery(timeline(id, query));
  const rowKey = useCallback((r: TimelineRow) => r.id, []);
  const [top, setTop] = useState(true);
  const held = useFrozen(JSON.stringify([id, query]), isPlaceholderData ? undefined : data?.items, state.open !== "" || !follow || !top);

  const change = (part: Record<string, string[]>, replace = false) => set({ filters: { ...filters, cursor: [], ...part } }, replace);
  const select = (p: Span | undefined) => change({ from: p ? [iso(p.from)] : [], to: p ? [iso(p.to)] : [] }, true);
  const zoom = (p: Span) => change({ since: [iso(p.from)], until: [iso(p.to)], from: [], to: [] });
  const open = useCallback((row: string) => { setPanel(""); set({ open: row, view: "" }, state.open !== ""); }, [set, state.open]);
  const flag = useCallback((row: TimelineRow) => {
    void flagEvent(id, row.id, !row.flagged).then(() => client.invalidateQueries({ queryKey: ["timeline", id] }));
  }, [client, id]);
  const all = useMemo(() => timelineColumns(flag), [flag]);
  const own = all.filter((c) => !c.optional).map((c) => c.key);
  const shown = chosen.timeline ?? own;
  const columns = all.filter((c, i) => i === 0 || shown.includes(c.key));
  const rows = held.rows ?? data?.items ?? [];
  const at = rows.findIndex((r) => r.id === state.open);
  const step = (to: number) => {
    const row = at >= 0 ? rows[to] : undefined;
    return row && (() => set({ open: row.id }, true));
  };
  const exportOf = (format: string): string => address(`/devices/${encodeURIComponent(id)}/timeline/export`, { ...base, ...sorted, format });
  const narrowed = state.q !== "" || panelGroups.some((g) => (filters[g.name]?.length ?? 0) > 0);

  let body;
  if (error && !data) body = <Empty title="The timeline could not be read" action={<Button onClick={() => void refetch()}>Try again</Button>}>{explain(error)}</Empty>;
  else if (!data) body = <Spinner className={s.wait} label="Reading the timeline …" />;
  else if (rows.length === 0 && held.waiting === 0) {
    body = (
      <Empty icon={<ClockRegular />} title={narrowed || sel ? "Nothing matches" : "No event in this range"} action={narrowed || sel ? <Button onClick={() => set({ q: "", filters: { days: filters.days ?? [] } })}>Clear search and filters</Button> : undefined}>
        {narrowed || sel ? "No event matches the search, the filters and the highlighted range." : counts.data?.last && !counts.data.last.startsWith("0001") ? "Choose a longer range: older events are kept." : "The agent of this device has not sent events yet, or its sensors are off."}
      </Empty>
    );
  } else {
    body = (
      <>
        {held.waiting > 0 && (
          <div className={s.fresh}>
            <Button appearance="primary" shape="circular" size="small" icon={<ArrowUpRegular />} onClick={held.take}>{`${held.waiting} new`}</Button>
          </div>
        )}
        <DataTable label="Timeline" columns={columns} rows={rows} rowKey={rowKey} sort={state.sort} onSort={() => set({ sort: state.sort.length > 0 ? [] : ["-flagged"], filters: { ...filters, cursor: [] } })} open={state.open} onOpen={open} compact={density === "compact"} busy={isPlaceholderData} onScrolled={setTop} />
      </>
    );
  }
  return (
    <div className={s.root}>
      <TimelineChart counts={counts.data} range={range} sel={sel} missing={data?.missing ?? []} onSelect={select} onZoom={zoom} onAlert={(alert) => void navigate({ to: "/alerts", search: { open: alert } })} onInvestigation={(id) => void navigate({ to: `/investigations/${id}` })} onFlag={(t) => change({ flagged: [], from: [iso(range.from)], to: [iso(Math.max(t + 1, range.from + shortest))] })} />
      <div className={s.line}>
        <Select
          size="small"
          className={s.select}
          aria-label="Range"
          value={custom ? "custom" : (filters.days?.[0] ?? "30")}
          onChange={(_, d) => (d.value === "custom" ? zoom(sel ?? range) : change({ days: [d.value], since: [], until: [], from: [], to: [] }))}
        >
          <option value="1">1 day</option>
          <option value="7">7 days</option>
          <option value="30">30 days</option>
          <option value="custom">Custom range</option>
        </Select>
        {custom && <CustomRange key={`${range.from} ${range.to}`} range={range} onApply={zoom} />}
        <Switch label="Live" checked={follow} onChange={(_, d) => setFollow(d.checked)} />
        <Button size="small" appearance={filters.flagged?.length ? "primary" : "subtle"} aria-pressed={(filters.flagged?.length ?? 0) > 0} icon={filters.flagged?.length ? <FlagFilled /> : <FlagRegular />} onClick={() => change({ flagged: filters.flagged?.length ? [] : ["true"] })}>Flagged</Button>
        <span className={s.state}><Completeness t={data} /></span>
      </div>
      <CommandBar
        q={state.q}
        searchLabel="Search events"
        onSearch={(q) => set({ q, filters: { ...filters, cursor: [] } }, true)}
        count=""
        exports={{ csv: exportOf("csv"), jsonl: exportOf("jsonl"), ecs: exportOf("ecs") }}
        onColumns={() => { set({ open: "", view: "" }); setPanel("columns"); }}
        onFilter={() => { set({ open: "", view: "" }); setPanel("filter"); }}
      />
      {dropped.length > 0 && <MessageBar intent="warning" className={s.bar}><MessageBarBody>{`Parts of the address are not understood and left out: ${dropped.slice(0, 5).join(", ")}`}</MessageBarBody></MessageBar>}
      {error && data && <MessageBar intent="warning" className={s.bar}><MessageBarBody>{`These rows may be old: ${explain(error)}`}</MessageBarBody></MessageBar>}
      <FilterPills groups={panelGroups} values={filters} onEdit={() => setPanel("filter")} onClear={() => change({ event_group: [], action: [], flagged: [], technique: [] })} onRemove={(name) => change({ [name]: [] })} />
      {body}
      <div className={s.foot}>
        <Button size="small" disabled={cursor === ""} onClick={() => change({ cursor: [] })}>Newest</Button>
        <Button size="small" disabled={!data?.cursor} onClick={() => data && set({ open: "", filters: { ...filters, cursor: [data.cursor] } })}>Older events</Button>
        <span>{data ? `${plural(rows.length, "event")} on this page` : ""}</span>
        <span className={s.end}>
          <Select size="small" aria-label="Events per page" value={String(state.size)} onChange={(_, d) => { setPrefs({ size: Number(d.value) }); set({ size: Number(d.value) }); }}>
            {pageSizes.map((n) => <option key={n} value={n}>{`${n} per page`}</option>)}
          </Select>
        </span>
      </div>
      {panel === "filter" && <FilterPanel groups={panelGroups} values={filters} onClose={() => setPanel("")} onApply={(f) => { change({ ...Object.fromEntries(kept.map((k) => [k, filters[k] ?? []])), ...f }); setPanel(""); }} />}
      {panel === "columns" && (
        <ColumnPanel
          columns={all}
          shown={shown}
          onClose={() => setPanel("")}
          onChange={(keys) => setPrefs({ columns: { ...chosen, timeline: keys } })}
          onReset={() => setPrefs({ columns: Object.fromEntries(Object.entries(chosen).filter(([k]) => k !== "timeline")) })}
        />
      )}
      {state.open !== "" && (
        <TimelineFlyout
          key={state.open}
          device={id}
          event={state.open}
          row={at >= 0 ? rows[at] : undefined}
          onFlag={flag}
          frame={{ onClose: () => set({ open: "", view: "" }), onPrevious: step(at - 1), onNext: step(at + 1), view: state.view, onView: (view) => set({ view }, true) }}
        />
      )}
    </div>
  );
}
