import { Button, Input, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { SearchRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { explain } from "../../api/client";
import { deviceScore } from "../../api/queries";
import { scoreTerms } from "../../api/scores";
import type { DeviceScore, ScoreTerm } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ExportMenu } from "../../app/ExportMenu";
import { Refs, type RefColumn } from "../../app/Refs";
import { full, levelOf } from "../../lib/exposure";
import { number, score } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";
import { ExposureLevel, ScoreNumber } from "../../ui/Exposure";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";
import { SeverityIcon } from "../../ui/Severity";
import { State } from "../../ui/State";
import { ThreatIcons } from "../../ui/Threats";

const useStyles = makeStyles({
  text: { margin: "0 0 12px", lineHeight: tokens.lineHeightBase400, overflowWrap: "anywhere" },
  cvss: { display: "inline-flex", alignItems: "center", gap: "8px", whiteSpace: "nowrap" },
  tools: { display: "flex", gap: "8px", alignItems: "center", marginBottom: "8px", "& > :first-child": { flexGrow: 1 } },
});

function Cvss({ t }: { t: ScoreTerm }) {
  const s = useStyles();
  return (
    <>
      <span className={s.cvss}><SeverityIcon level={t.severity} />{score(t.cvss)}</span>
      {t.fallback && <div><Chip tone="quiet" title="Nobody has scored this weakness yet: a value for its severity stands in.">Fallback</Chip></div>}
    </>
  );
}

const columns = (page: string): readonly RefColumn<ScoreTerm>[] => [
  {
    key: "weakness",
    title: "Finding",
    render: (t) => t.kind === "alert" ? <>{t.alert ? <Anchor to={`${page}/alerts`} search={{ open: t.alert }}>{t.component}</Anchor> : t.component}<div style={{ fontSize: 12, opacity: 0.8 }}>Alert</div></> : t.check ? <><Anchor to={`${page}/recommendations`} search={{ open: `sca-_-${t.check}` }}>{t.component}</Anchor><div style={{ fontSize: 12, opacity: 0.8 }}>Configuration</div></> : (
      <>
        <Anchor to={`${page}/vulnerabilities`} search={{ open: t.weakness }}>{t.weakness}</Anchor>
        <div style={{ fontSize: 12, opacity: 0.8 }}>{`${t.component} ${t.version}`}</div>
      </>
    ),
  },
  { key: "cvss", title: "CVSS", width: "12%", render: (t) => (t.check || t.kind === "alert" ? "–" : <Cvss t={t} />) },
  { key: "threats", title: "Threats", width: "16%", render: (t) => <ThreatIcons facts={t.threats} /> },
  { key: "state", title: "State", width: "21%", render: (t) => t.kind === "alert" ? "active" : (t.check ? "not as expected" : <State value={t.state} exposed />) },
  { key: "points", title: "Points", width: "10%", align: "end", render: (t) => number(t.points) },
  { key: "share", title: "Share", width: "10%", align: "end", render: (t) => <ShareNumber value={t.share} /> },
];

/** A share of a score to two decimals, all its digits on hover. */
function ShareNumber({ value }: { value: number }) {
  return <span title={full(value)}>{value > 0 && value < 0.005 ? "< 0.01" : value.toFixed(2)}</span>;
}

function Terms({ d, id }: { d: DeviceScore; id: string }) {
  const page = `/devices/${encodeURIComponent(id)}`;
  const s = useStyles();
  const [text, setText] = useState("");
  const query = useCallback((q: Record<string, string>) => scoreTerms(id, text === "" ? q : { ...q, q: text }), [id, text]);
  return (
    <>
      <Section title="How it is computed">
        <p className={s.text}>
          {`Each finding that counts has points, from its severity, its threats and its state, and so have each setting that is not as it should be and each active alert. All points together, ${number(d.points)}, make the score; formula ${d.version}:`}
        </p>
        <p className={s.text}><Mono>{`100 · ${d.points} / (${d.points} + 10000) = ${full(d.score)}`}</Mono></p>
        <Facts>
          <Fact name="Exposure level"><ExposureLevel level={d.level} /></Fact>
          <Fact name="Points">{number(d.points)}</Fact>
          <Fact name="Findings, settings and alerts">{number(d.term_count)}</Fact>
          <Fact name="Device value">{`${d.value}: counts ${full(d.weight)} in the score of many`}</Fact>
        </Facts>
      </Section>
      <Section title="What the score is made of">
        <p className={s.text}>The score is shared out by points. The shares add up to the score exactly, and the points to all points.</p>
        {d.term_count > 0 ? (
          <>
            <div className={s.tools}>
              <Input type="search" aria-label="Search findings and settings" placeholder="Search finding, software, setting" contentBefore={<SearchRegular aria-hidden />} value={text} maxLength={200} onChange={(_, v) => setText(v.value)} />
              <ExportMenu path={`${page}/score/terms`} query={text === "" ? {} : { q: text }} />
            </div>
            <Refs key={text} label="Findings and their shares" query={query} columns={columns(page)} rowKey={(t) => `${t.check} ${t.weakness} ${t.alert} ${t.product_id} ${t.version} ${t.units}`} what="term" empty="Nothing matches" />
          </>
        ) : <Empty small title="No finding counts" />}
      </Section>
    </>
  );
}

/** Why a device's score is what it is: the findings with their points and shares. */
export function ScoreFlyout({ id, name, onClose }: { id: string; name: string; onClose: () => void }) {
  const { data: d, error, refetch } = useQuery(deviceScore(id));
  let body = <Spinner size="small" label="Reading …" />;
  if (d) body = d.counted ? <Terms d={d} id={id} /> : <Empty title="This device is in no score">It has been silent for thirty days, or nothing is known of it yet.</Empty>;
  else if (error) body = <Empty title="This score could not be read" action={<Button onClick={() => void refetch()}>Try again</Button>}>{explain(error)}</Empty>;
  return (
    <Panel title="Why this score" label="Why this score" width={760} onClose={onClose} subtitle={d && levelOf(d.level) !== "NoData" && <><span>{name}</span><span>Exposure score <strong><ScoreNumber value={d.score} /></strong></span><ExposureLevel level={d.level} /></>}>
      {body}
    </Panel>
  );
}
