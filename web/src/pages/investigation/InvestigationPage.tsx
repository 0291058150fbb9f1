import { Spinner, Tab, TabList, makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { investigation } from "../../api/investigations";
import type { Investigation, InvestigationEvidence } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { number, plural } from "../../lib/format";
import { kindWord, presence, stateWord, verdictWord } from "../../lib/investigations";
import type { RawSearch } from "../../lib/search";
import { AlertSeverity } from "../../ui/Alert";
import { Chip } from "../../ui/Chip";
import { Empty } from "../../ui/Empty";
import { Fact, Facts } from "../../ui/Facts";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  facts: { padding: "12px 0 16px", maxWidth: "1200px" },
  tabs: { margin: "0 0 12px -8px" },
  text: { overflowWrap: "anywhere", whiteSpace: "pre-wrap" },
  small: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, overflowWrap: "anywhere" },
  wait: { padding: "48px" },
  log: { margin: 0, padding: 0, listStyleType: "none", display: "flex", flexDirection: "column", gap: "10px", maxWidth: "1000px" },
  line: { display: "grid", gridTemplateColumns: "190px 1fr", gap: "16px" },
});

/** What is known of a thing besides its verdict, in short sentences. */
function facts(e: InvestigationEvidence): string[] {
  const out: string[] = [];
  const f = e.file;
  const p = e.process;
  if (e.sha256) out.push(`SHA-256 ${e.sha256}`);
  if (f?.target) out.push(`It leads to ${f.target}`);
  if (f?.mode) out.push(`${number(f.size ?? 0)} bytes, ${f.mode}, of ${f.owner ?? "?"}`);
  if (f?.no_package) out.push(f.no_package);
  if (f?.scanned && !f.signature) out.push("The scanner found nothing in it");
  if (f?.not_scanned) out.push(f.not_scanned);
  if (e.pid) out.push(`Process ${e.pid}${p?.user ? ` of ${p.user}` : ""}${p?.parent ? `, started by ${p.parent}` : ""}`);
  if (p?.command) out.push(p.command);
  if (p?.children?.length) out.push(`Children: ${p.children.map((c) => `${c.name} (${c.pid})`).join(", ")}`);
  for (const c of [...(p?.connections ?? []), ...(e.connections ?? [])].slice(0, 8)) out.push(`${c.protocol} ${c.local} → ${c.remote} ${c.state ?? ""}${c.name ? ` ${c.name} (${c.pid ?? "?"})` : ""}`);
  for (const st of e.starts ?? []) out.push(st.line);
  return out;
}

function Evidence({ d }: { d: Investigation }) {
  const s = useStyles();
  const columns: readonly PlainColumn<InvestigationEvidence>[] = [
    { key: "verdict", title: "Verdict", width: "150px", render: (e) => { const [word, tone] = verdictWord(e.verdict); return <Chip tone={tone}>{word}</Chip>; } },
    { key: "kind", title: "Kind", width: "120px", render: (e) => kindWord(e.kind) },
    { key: "name", title: "Thing", render: (e) => <><span className={s.text}>{e.name}</span>{facts(e).map((t) => <div key={t} className={s.small}>{t}</div>)}</> },
    { key: "status", title: "On the device", width: "120px", render: (e) => presence(e.status) },
    { key: "reason", title: "Why", width: "30%", render: (e) => <span className={s.text}>{e.reason}</span> },
    { key: "alerts", title: "Found by", width: "120px", render: (e) => (e.alerts.length === 0 ? "On the way" : plural(e.alerts.length, "alert")) },
  ];
  if (d.evidence.length === 0) return <Empty small title={d.active ? "Nothing is judged yet" : "There is no evidence"}>{d.active ? "Verdicts are there when the agent of the device has answered." : d.details}</Empty>;
  return <PlainTable label="Evidence" columns={columns} rows={d.evidence} rowKey={(e) => `${e.kind} ${e.name} ${e.pid ?? ""} ${e.began ?? ""} ${e.alerts.join(" ")} ${e.sha256 ?? ""}`} />;
}

function Alerts({ d }: { d: Investigation }) {
  if (d.alert_refs.length === 0) return <Empty small title="No alert belongs to it">Alerts that come on the device while it goes on join it.</Empty>;
  return (
    <PlainTable label="Alerts" rows={d.alert_refs} rowKey={(a) => a.id} columns={[
      { key: "title", title: "Alert", render: (a) => <Anchor to="/alerts" search={{ open: a.id }}>{a.title}</Anchor> },
      { key: "severity", title: "Severity", width: "160px", render: (a) => <AlertSeverity level={a.severity} /> },
      { key: "time", title: "Last activity", width: "220px", render: (a) => <Moment at={a.time} /> },
    ]} />
  );
}

function Log({ d }: { d: Investigation }) {
  const s = useStyles();
  return <ol className={s.log} aria-label="Log">{d.log.map((l, i) => <li key={i} className={s.line}><Moment at={l.at} /><span className={s.text}>{l.text}</span></li>)}</ol>;
}

/** One investigation: what was examined on a device, and what is said of it. */
export function InvestigationPage() {
  const s = useStyles();
  const { id = "" }: { id?: string } = useParams({ strict: false });
  const navigate = useNavigate();
  const raw: RawSearch = useSearch({ strict: false });
  const { data: d, error, refetch } = useQuery(investigation(id));
  if (error && !d) return <ErrorPage error={error} retry={() => void refetch()} />;
  if (!d) return <Spinner className={s.wait} label="Reading the investigation …" />;
  const tab = raw.tab === "alerts" || raw.tab === "log" ? raw.tab : "evidence";
  const [word, tone] = stateWord(d.state);
  return (
    <PageHead scroll title={`Investigation ${d.id}`} text="It reads only: on the device nothing is moved, ended or deleted.">
      <div className={s.facts}>
        <Facts>
          <Fact name="Device"><Anchor to={`/devices/${encodeURIComponent(d.device_id)}`}>{d.device_name}</Anchor></Fact>
          <Fact name="State"><Chip tone={tone}>{word}</Chip></Fact>
          <Fact name="Details" wide><span className={s.text}>{d.details}</span></Fact>
          <Fact name="Started by">{d.requester}</Fact>
          <Fact name="Started"><Moment at={d.started_at} /></Fact>
          <Fact name="Ended">{d.ended_at && <Moment at={d.ended_at} />}</Fact>
          <Fact name="Cancelled by">{d.cancelled_by}</Fact>
          <Fact name="Action center"><Anchor to="/actions" search={{ status: "any", open: d.action }}>{d.may_cancel ? "Its action, to cancel it" : "Its action"}</Anchor></Fact>
          <Fact name="Scanner">{d.scanner}</Fact>
          <Fact name="Comment" wide><span className={s.text}>{d.comment}</span></Fact>
          <Fact name="Files were not scanned" wide><span className={s.text}>{d.no_scanner}</span></Fact>
        </Facts>
      </div>
      <TabList className={s.tabs} selectedValue={tab} onTabSelect={(_, t) => void navigate({ to: ".", search: t.value === "evidence" ? {} : { tab: String(t.value) } })}>
        <Tab value="evidence">{`Evidence (${number(d.evidence.length)})`}</Tab>
        <Tab value="alerts">{`Alerts (${number(d.alert_refs.length)})`}</Tab>
        <Tab value="log">Log</Tab>
      </TabList>
      {tab === "evidence" && <Evidence d={d} />}
      {tab === "alerts" && <Alerts d={d} />}
      {tab === "log" && <Log d={d} />}
    </PageHead>
  );
}
