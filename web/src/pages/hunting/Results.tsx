import { Button, ProgressBar, Tab, TabList, makeStyles, tokens } from "@fluentui/react-components";
import { ColumnRegular, SearchRegular } from "@fluentui/react-icons";
import { useMemo, useState } from "react";
import { number, plural } from "../../lib/format";
import { chartData, chartOf, chartsOf, unrolled, type ChartKind, type HuntColumn } from "../../lib/huntChart";
import { cellText, compareCells, type Cell } from "../../lib/kql";
import { Empty } from "../../ui/Empty";
import { Menu } from "../../ui/Menu";
import { ResultChart } from "./ResultChart";
import { ResultGrid } from "./ResultGrid";
import { RowFlyout } from "./RowFlyout";
import type { Hunt } from "./useHunt";

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", flexGrow: 1, minHeight: "160px", minWidth: 0 },
  bar: { display: "flex", alignItems: "center", gap: "12px", flexShrink: 0, minHeight: "40px" },
  tabs: { marginLeft: "-8px" },
  say: { flexGrow: 1, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  progress: { flexShrink: 0 },
});

const chartWords: Record<ChartKind, string> = { line: "Lines", column: "Bars", pie: "Ring" };

function literal(v: Cell, type: string): string {
  if (typeof v !== "string") return cellText(v);
  if (type === "datetime" || type === "timespan" || type === "guid") return `${type}(${v})`;
  return `"${v.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}

/** The rows by a column, "-" before its name is descending. */
function sortRows({ columns, rows }: Hunt, sort: string): Cell[][] {
  const down = sort.startsWith("-");
  const i = columns.findIndex((c) => c.name === (down ? sort.slice(1) : sort));
  return i < 0 ? rows : rows.map((r, n) => ({ r, n })).sort((a, b) => compareCells(a.r[i], b.r[i], down) || a.n - b.n).map((x) => x.r);
}

/** What a run found: rows that can be sorted and opened, or a chart of them. */
export function Results({ hunt, onNarrow }: { hunt: Hunt; onNarrow: (line: string) => void }) {
  const s = useStyles();
  const [view, setView] = useState("");
  const [sort, setSort] = useState("");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState(-1);
  const { columns, rows, running, statistics: st } = hunt;
  const flat = unrolled(columns, rows);
  const charts = chartsOf(flat.columns);
  const wanted = chartOf(hunt.chart);
  const kind = view === "" ? wanted : charts.find((c) => c === view);
  const data = kind && chartData(kind, flat.columns, flat.rows);
  const sorted = useMemo(() => sortRows(hunt, sort), [hunt, sort]);
  if (hunt.n === 0) return <Empty icon={<SearchRegular />} title="No query was run">Write a query or open a saved one, then run it.</Empty>;
  const row = sorted[open];
  const shownView = data ? data.kind : "rows";
  const narrow = (c: HuntColumn, v: Cell, has: boolean) => {
    const name = /^[A-Za-z_]\w*$/.test(c.name) ? c.name : `["${c.name.replaceAll('"', '\\"')}"]`;
    setOpen(-1);
    onNarrow(`| where ${name} ${has ? "==" : "!="} ${literal(v, c.type)}`);
  };
  const read = st ? `${number(st.rows_read)} rows read in ${(st.elapsed_ms / 1000).toFixed(st.elapsed_ms < 10_000 ? 2 : 0)} s` : "";
  return (
    <div className={s.root}>
      {running && <ProgressBar className={s.progress} aria-label="Progress of the query" value={st && st.share > 0 ? st.share : undefined} />}
      <div className={s.bar}>
        <TabList size="small" className={s.tabs} selectedValue={shownView} onTabSelect={(_, d) => setView(String(d.value))}>
          <Tab value="rows">Results</Tab>
          {[...new Set([...(wanted && columns.length > 0 ? [wanted] : []), ...charts])].map((c) => <Tab key={c} value={c}>{chartWords[c]}</Tab>)}
        </TabList>
        <span className={s.say} role="status">{[hunt.canceled ? "Canceled" : running ? "Running" : "", plural(rows.length, "row"), read].filter((t) => t).join(" · ")}</span>
        {shownView === "rows" && columns.length > 0 && (
          <Menu
            align="end"
            label="Columns"
            trigger={(p) => <Button size="small" appearance="subtle" icon={<ColumnRegular />} {...p}>Columns</Button>}
            entries={columns.map((c) => ({ kind: "choice" as const, key: c.name, text: c.name, checked: !hidden.has(c.name), onSelect: () => setHidden((now) => new Set(now.has(c.name) ? [...now].filter((n) => n !== c.name) : [...now, c.name])) }))}
          />
        )}
      </div>
      {data ? (
        <ResultChart data={data} />
      ) : rows.length === 0 && !running && !hunt.error && !hunt.mistake ? (
        <Empty icon={<SearchRegular />} title="No rows">{hunt.canceled ? "The query was canceled before it found any." : "The query ran, and nothing matches it."}</Empty>
      ) : columns.length > 0 && (
        <ResultGrid columns={columns} picked={columns.flatMap((c, i) => (hidden.has(c.name) ? [] : [i]))} rows={sorted} sort={sort} onSort={(name) => { setSort(sort === name ? `-${name}` : sort === `-${name}` ? "" : name); setOpen(-1); }} open={open} onOpen={setOpen} />
      )}
      {row && <RowFlyout columns={columns} row={row} onClose={() => setOpen(-1)} onPrevious={open > 0 ? () => setOpen(open - 1) : undefined} onNext={open < sorted.length - 1 ? () => setOpen(open + 1) : undefined} onNarrow={narrow} />}
    </div>
  );
}
