import { makeStyles, tokens } from "@fluentui/react-components";
import { TimelineRegular } from "@fluentui/react-icons";
import { useCallback, useMemo } from "react";
import { events } from "../../api/queries";
import type { EventRow } from "../../api/schema";
import { Anchor, OpenLink } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { useList } from "../../app/useList";
import { eventKinds, kindWord, share } from "../../lib/events";
import { number } from "../../lib/format";
import { productPath } from "../../lib/product";
import type { ListSpec, RawSearch } from "../../lib/search";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { EventIcon, EventKind, ScoreStep } from "../../ui/EventKind";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Severity } from "../../ui/Severity";
import { Day } from "../../ui/Time";
import { EventFlyout } from "./EventFlyout";
import { RangePicker } from "./RangePicker";
import { rangeOf, withRange } from "./range";

const shares = ["1", "10", "25", "50", "75", "100"];

/** What the list of events understands; without a range it shows the last 30 days. */
export const eventSpec: ListSpec = {
  filters: { days: "any", from: "any", to: "any", type: eventKinds, share: shares, impact: ["true", "false"], component: "any", weakness: "any" },
  sorts: ["date", "component", "type", "impacted", "share", "weaknesses", "severity"],
  sort: ["-date", "-impacted"],
  defaults: { days: ["30"] },
};

const groups: readonly FilterGroup[] = [
  { name: "type", title: "Types", options: eventKinds.map((v) => ({ value: v, label: kindWord(v) })) },
  { name: "share", title: "Originally impacted devices", options: shares.map((v) => ({ value: v, label: v === "100" ? "All devices" : `At least ${v} %` })) },
  { name: "impact", title: "Impact", options: [{ value: "true", label: "Impacted devices" }, { value: "false", label: "Impacted none" }] },
  { name: "component", title: "Related component", options: [], free: { hint: "openssl" } },
  { name: "weakness", title: "Vulnerability", options: [], free: { hint: "CVE-2024-3094" } },
];

const keep = ["days", "from", "to"];

const useStyles = makeStyles({
  title: { display: "flex", alignItems: "center", gap: "10px", minWidth: 0 },
  text: { minWidth: 0, overflow: "hidden", textOverflow: "ellipsis" },
  quiet: { color: tokens.colorNeutralForeground3 },
});

function Title({ r }: { r: EventRow }) {
  const s = useStyles();
  return <span className={s.title} title={r.title}><EventIcon kind={r.kind} /><span className={s.text}><OpenLink id={r.id}>{r.title}</OpenLink></span></span>;
}

function Devices({ n, of, part }: { n: number; of: number; part: number }) {
  const s = useStyles();
  return <span title={`${number(n)} of ${number(of)} devices`}>{number(n)}<span className={s.quiet}>{` (${share(part)})`}</span></span>;
}

const columns: readonly Column<EventRow>[] = [
  { key: "date", title: "Date", width: 124, sort: { key: "date", first: "desc" }, render: (r) => <Day at={r.at} /> },
  { key: "event", title: "Event", width: 300, grow: true, render: (r) => <Title r={r} /> },
  { key: "component", title: "Related component", width: 156, wrap: true, sort: { key: "component", first: "asc" }, render: (r) => (r.product_id ? <Anchor to={productPath(r.product_id)} title={r.component}>{r.component}</Anchor> : <span title={r.component}>{r.component}</span>) },
  { key: "impacted", title: "Originally impacted devices", width: 160, align: "end", sort: { key: "impacted", first: "desc" }, render: (r) => <Devices n={r.impacted} of={r.counted} part={r.share} /> },
  { key: "type", title: "Types", width: 180, wrap: true, sort: { key: "type", first: "asc" }, render: (r) => <EventKind kind={r.kind} plain /> },
  { key: "score", title: "Score trend", width: 104, render: (r) => <ScoreStep step={r.score} /> },
  { key: "current", title: "Currently impacted devices", width: 150, align: "end", optional: true, render: (r) => <Devices n={r.current} of={r.current_of} part={r.current_share} /> },
  { key: "weaknesses", title: "Vulnerabilities", width: 130, align: "end", optional: true, sort: { key: "weaknesses", first: "desc" }, render: (r) => number(r.weaknesses) },
  { key: "severity", title: "Highest severity", width: 140, optional: true, sort: { key: "severity", first: "desc" }, render: (r) => (r.weaknesses > 0 ? <Severity level={r.severity} /> : "–") },
];

// The page of a product names it already.
const ofProduct = columns.filter((c) => c.key !== "component");

/**
 * The event timeline as a list, for a page or a tab; its state is in the URL.
 * `product` narrows it to one product. `extra` are further keys of the page's URL that stay.
 */
export function EventList({ product, extra }: { product?: string; extra?: readonly string[] }) {
  const spec = useMemo(() => (extra ? { ...eventSpec, extra } : eventSpec), [extra]);
  const { state, set } = useList(spec);
  const fixed = useMemo((): RawSearch => (product ? { product } : {}), [product]);
  const query = useCallback((q: RawSearch) => events({ ...q, ...fixed }), [fixed]);
  return (
    <ListView
      name="events"
      label="Events"
      spec={spec}
      groups={groups}
      columns={product ? ofProduct : columns}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search component, CVE"
      exportPath="/events"
      fixed={fixed}
      keep={keep}
      commands={<RangePicker value={rangeOf(state.filters)} onChange={(r) => set({ filters: withRange(state.filters, r) })} />}
      flyout={(id, frame, row) => <EventFlyout key={id} id={id} frame={frame} row={row} />}
      empty={
        <Empty icon={<TimelineRegular />} title="No event in this range">
          {product ? "Nothing changed what devices are exposed to through this product." : "Nothing changed what devices are exposed to. Events are made when new intelligence is loaded and when Picket learns new checks."}
        </Empty>
      }
    />
  );
}
