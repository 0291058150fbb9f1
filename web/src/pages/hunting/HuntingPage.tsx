import { Button, MessageBar, MessageBarBody, Select, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowDownloadRegular, BookOpenRegular, DismissRegular, LinkRegular, PanelLeftContractRegular, PanelLeftExpandRegular, PlayRegular, SaveRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { explain } from "../../api/client";
import { checkHunt, exportHunt, huntSchema } from "../../api/hunting";
import { session } from "../../api/queries";
import type { HuntQuery } from "../../api/schema";
import { PageHead } from "../../app/PageHead";
import { useHeldText } from "./useHeldText";
import { plural } from "../../lib/format";
import type { RawSearch } from "../../lib/search";
import { Menu } from "../../ui/Menu";
import { Editor } from "./Editor";
import { QueriesPanel, SavePanel } from "./QueriesPanel";
import { Results } from "./Results";
import { SchemaSide } from "./SchemaSide";
import { noteRun } from "./history";
import { mostRows, useHunt } from "./useHunt";

const spans = ["1", "7", "30", "90", "180"] as const;
const first = "DeviceProcessEvents\n| where Timestamp > ago(1d)\n| summarize Starts = count() by FileName\n| top 20 by Starts";

const since = (days: string) => (days === "30" ? undefined : new Date(Date.now() - Number(days) * 86_400_000).toISOString());

const useStyles = makeStyles({
  bar: { display: "flex", alignItems: "center", gap: "4px", flexWrap: "wrap", margin: "6px 0 8px -6px", flexShrink: 0 },
  gap: { flexGrow: 1 },
  body: { display: "flex", flexGrow: 1, minHeight: 0, paddingBottom: "8px" },
  main: { display: "flex", flexDirection: "column", flexGrow: 1, minWidth: 0, minHeight: 0 },
  say: { minHeight: "24px", padding: "4px 0", flexShrink: 0, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  wrong: { color: tokens.colorStatusDangerForeground1 },
});

/** Hunting: a query over everything that is known, its rows and its chart. The query is part of the address. */
export function HuntingPage() {
  const s = useStyles();
  const navigate = useNavigate();
  const raw: RawSearch = useSearch({ strict: false });
  const named = raw.query ?? "";
  const days = spans.find((d) => d === raw.days) ?? "30";
  const [text, setText] = useState(named || first);
  const [panel, setPanel] = useState<"" | "queries" | "save">("");
  const [saved, setSaved] = useState<HuntQuery>();
  const [side, setSide] = useState(() => window.innerWidth > 1100);
  const [said, setSaid] = useState("");
  const { data: schema } = useQuery(huntSchema);
  const { data: me } = useQuery(session);
  const { hunt, run, cancel } = useHunt();
  const held = useHeldText(text, 500);
  const { data: check } = useQuery(checkHunt(held));
  const leaving = useRef<AbortController | null>(null);
  useEffect(() => () => leaving.current?.abort(), []);
  // Back, forward and links bring another query.
  const [was, setWas] = useState(named);
  if (was !== named) {
    setWas(named);
    if (named !== "") setText(named);
  }
  const go = (part: RawSearch) => void navigate({ to: ".", search: (before: RawSearch) => Object.fromEntries(Object.entries({ ...before, ...part }).filter(([, v]) => v !== "")) });
  const start = (query = text) => {
    if (query.trim() === "") return;
    setSaid("");
    go({ query });
    run(query, since(days), (rows) => noteRun(me?.username ?? "", query, rows, new Date()));
  };
  const mistake = hunt.query === text && hunt.mistake ? hunt.mistake : held === text ? (check?.mistake ?? undefined) : undefined;
  const download = (format: "csv" | "jsonl") => {
    leaving.current?.abort();
    const stop = new AbortController();
    leaving.current = stop;
    setSaid("Exporting …");
    exportHunt(hunt.query || text, since(days), format, stop.signal)
      .then(({ name, data }) => {
        const a = document.createElement("a");
        a.href = URL.createObjectURL(data);
        a.download = name;
        a.click();
        setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
        setSaid(`${name} was written.`);
      })
      .catch((err: unknown) => { if (!stop.signal.aborted) setSaid(`The export failed: ${explain(err)}`); });
  };
  return (
    <PageHead title="Hunting" text="Ask everything that devices reported in the Kusto Query Language: events, inventory, vulnerabilities, configuration.">
      <div className={s.bar}>
        <Button appearance="subtle" icon={side ? <PanelLeftContractRegular /> : <PanelLeftExpandRegular />} aria-label={side ? "Hide the schema" : "Show the schema"} aria-expanded={side} onClick={() => setSide(!side)} />
        {hunt.running ? <Button appearance="primary" icon={<DismissRegular />} onClick={cancel}>Cancel</Button> : <Button appearance="primary" icon={<PlayRegular />} title="Ctrl+Enter" disabled={text.trim() === ""} onClick={() => start()}>Run query</Button>}
        <Button appearance="subtle" icon={<SaveRegular />} disabled={text.trim() === ""} onClick={() => setPanel("save")}>Save</Button>
        <Button appearance="subtle" icon={<BookOpenRegular />} onClick={() => setPanel("queries")}>Queries</Button>
        <Button appearance="subtle" icon={<LinkRegular />} onClick={() => { go({ query: text }); void navigator.clipboard.writeText(`${window.location.origin}/hunting?${new URLSearchParams({ ...(days === "30" ? {} : { days }), query: text }).toString()}`).then(() => setSaid("The link was copied."), () => setSaid("The address of this page is the link.")); }}>Copy link</Button>
        <Menu
          label="Export"
          trigger={(p) => <Button appearance="subtle" icon={<ArrowDownloadRegular />} disabled={hunt.columns.length === 0} {...p}>Export</Button>}
          entries={[{ kind: "action", key: "csv", text: "CSV, all rows", onSelect: () => download("csv") }, { kind: "action", key: "jsonl", text: "JSON Lines, all rows", onSelect: () => download("jsonl") }]}
        />
        <span className={s.gap} />
        <Select aria-label="Events of" value={days} onChange={(_, d) => go({ days: d.value === "30" ? "" : d.value })}>
          {spans.map((d) => <option key={d} value={d}>{`Last ${plural(Number(d), "day")}`}</option>)}
        </Select>
      </div>
      <div className={s.body}>
        {side && <SchemaSide schema={schema} onInsert={(name) => setText((now) => (now === "" || /\s$/.test(now) ? now + name : `${now} ${name}`))} />}
        <div className={s.main}>
          <Editor value={text} schema={schema} mistake={mistake} onChange={setText} onRun={() => start()} />
          <div className={s.say} role="status">
            {mistake ? (
              <span className={s.wrong}>{`${mistake.line > 0 ? `Line ${mistake.line}, column ${mistake.column}: ` : ""}${mistake.message}${mistake.hint ? ` ${mistake.hint}` : ""}`}</span>
            ) : said || (saved && saved.query !== text ? `Changed since “${saved.name}” was opened.` : saved ? `“${saved.name}”` : hunt.n === 0 ? "Ctrl+Enter runs the query, Ctrl+Space completes a word." : "")}
          </div>
          {hunt.error && <MessageBar intent="error"><MessageBarBody>{hunt.error}</MessageBarBody></MessageBar>}
          {hunt.statistics?.truncated && <MessageBar intent="warning"><MessageBarBody>{`These are the first ${hunt.rows.length === mostRows ? "10,000" : ""} rows of more. The export has all of them.`}</MessageBarBody></MessageBar>}
          {hunt.notes.map((n) => <MessageBar key={n} intent="info"><MessageBarBody>{n}</MessageBarBody></MessageBar>)}
          <Results key={hunt.n} hunt={hunt} onNarrow={(line) => { const next = `${text.replace(/\s*$/, "")}\n${line}`; setText(next); start(next); }} />
        </div>
      </div>
      {panel === "queries" && <QueriesPanel onClose={() => setPanel("")} onOpen={(q, of) => { setText(q); setSaved(of); setPanel(""); go({ query: q }); }} />}
      {panel === "save" && <SavePanel query={text} saved={saved} onClose={() => setPanel("")} onSaved={(q) => { setSaved(q); setPanel(""); }} />}
    </PageHead>
  );
}
