import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { devices, firstPage } from "../../api/queries";
import type { Dashboard, RecommendationRow, TopDevice, TopSoftware } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { isConfiguration, levelWord, type Level } from "../../lib/exposure";
import { number, plural } from "../../lib/format";
import { vendor } from "../../lib/vendor";
import { productPath } from "../../lib/product";
import type { RawSearch } from "../../lib/search";
import { Card } from "../../ui/Card";
import { Tags } from "../../ui/Chip";
import { Donut } from "../../ui/Donut";
import { Empty } from "../../ui/Empty";
import { ExposureLevel, Impact, ScoreNumber, levelFill } from "../../ui/Exposure";
import { MiniTrend } from "../../ui/MiniTrend";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatIcons } from "../../ui/Threats";

const useStyles = makeStyles({
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  list: { listStyleType: "none", margin: 0, padding: 0 },
  count: { display: "flex", alignItems: "baseline", gap: "14px", padding: "11px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, "&:last-child": { borderBottom: "none" } },
  big: { minWidth: "76px", fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: "tabular-nums" },
});

/** How many devices have which exposure level. */
export function DistributionCard({ d }: { d: Dashboard }) {
  const s = useStyles();
  const navigate = useNavigate();
  const { data: out } = useQuery(devices({ exposure: "NoData", ...firstPage }));
  const { high, medium, low, none } = d.score.levels;
  const parts: [Level, number][] = [["High", high], ["Medium", medium], ["Low", low], ["None", none]];
  return (
    <Card title="Device exposure distribution" foot={out && out.total > 0 && <Anchor to="/devices" search={{ exposure: "NoData" }}>{`${plural(out.total, "device")} without data`}</Anchor>}>
      <Donut
        unit="device"
        onSelect={(level) => void navigate({ to: "/devices", search: { exposure: level } })}
        parts={parts.map(([level, value]) => ({
          key: level,
          label: levelWord(level),
          value,
          fill: levelFill[level],
          legend: value > 0 ? <Anchor to="/devices" search={{ exposure: level }}><ExposureLevel level={level} /></Anchor> : <span className={s.quiet}><ExposureLevel level={level} /></span>,
        }))}
      />
    </Card>
  );
}

/** How many devices are exposed of those that have it, and where that went. */
function Exposed({ r }: { r: { exposed: number; installed: number; trend: readonly number[]; type?: string } }) {
  return (
    <span style={{ display: "inline-flex", gap: 8, alignItems: "center" }} title={`${number(r.exposed)} exposed of ${plural(r.installed, "device")} ${isConfiguration(r.type ?? "") ? "that it concerns" : "where it is installed"}`}>
      <MiniTrend bare width={36} counts={r.trend} what="Exposed devices" />
      <span>{`${number(r.exposed)} / ${number(r.installed)}`}</span>
    </span>
  );
}

const recommendationColumns: readonly PlainColumn<RecommendationRow>[] = [
  { key: "name", title: "Security recommendation", render: (r) => <><Anchor to="/recommendations" search={{ open: r.id }}>{r.name}</Anchor> <Tags tags={r.tags} /></> },
  { key: "weaknesses", title: "Weaknesses", width: "22%", render: (r) => (isConfiguration(r.type) ? "–" : <SeverityBar total={r.weaknesses} counts={r.severity} />) },
  { key: "exposed", title: "Exposed devices", width: "19%", align: "end", render: (r) => <Exposed r={r} /> },
  { key: "threats", title: "Threats", width: "16%", render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "impact", title: "Impact", width: "10%", align: "end", render: (r) => <Impact value={r.impact} /> },
];

/** What lowers the score most. */
export function RecommendationsCard({ d }: { d: Dashboard }) {
  return (
    <Card title="Top security recommendations" wide foot={(
      <>
        {d.recommendation_count > 0 && <><Anchor to="/recommendations">{`Show more (${number(d.recommendation_count)})`}</Anchor>{" · "}</>}
        <Anchor to="/recommendations" search={{ status: "PartialException,FullException" }}>Show exceptions</Anchor>
      </>
    )}>
      {d.recommendations.length > 0 ? (
        <PlainTable label="Top security recommendations" columns={recommendationColumns} rows={d.recommendations} rowKey={(r) => r.id} middle />
      ) : (
        <Empty small title="Nothing to do">No device has a weakness that counts.</Empty>
      )}
    </Card>
  );
}

const softwareColumns: readonly PlainColumn<TopSoftware>[] = [
  { key: "name", title: "Software", render: (r) => <><Anchor to={productPath(r.id)}>{r.name}</Anchor> <Tags tags={r.tags} /></> },
  { key: "vendor", title: "Vendor", width: "14%", render: (r) => vendor(r.vendor) || "–" },
  { key: "weaknesses", title: "Weaknesses", width: "13%", align: "end", render: (r) => number(r.weaknesses) },
  { key: "exposed", title: "Exposed devices", width: "19%", align: "end", render: (r) => <Exposed r={r} /> },
  { key: "threats", title: "Threats", width: "16%", render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "impact", title: "Impact", width: "10%", align: "end", render: (r) => <Impact value={r.impact} /> },
];

/** The software that adds most to the score. */
export function SoftwareCard({ d }: { d: Dashboard }) {
  return (
    <Card title="Top vulnerable software" wide foot={d.software.length > 0 && <Anchor to="/software" search={{ code: "any", sort: "-impact", vulnerable: "true" }}>Show more</Anchor>}>
      {d.software.length > 0 ? (
        <PlainTable label="Top vulnerable software" columns={softwareColumns} rows={d.software} rowKey={(r) => r.id} middle />
      ) : (
        <Empty small title="No vulnerable software">No installed software has a weakness that counts.</Empty>
      )}
    </Card>
  );
}

const deviceColumns: readonly PlainColumn<TopDevice>[] = [
  {
    key: "name",
    title: "Device",
    render: (r) => <><Anchor to={`/devices/${encodeURIComponent(r.id)}`}>{r.name || r.id.slice(0, 12)}</Anchor><div style={{ fontSize: 12, opacity: 0.8 }}>{r.os_name}</div></>,
  },
  { key: "level", title: "Exposure", width: "27%", render: (r) => <ExposureLevel level={r.level} /> },
  { key: "score", title: "Score", width: "16%", align: "end", render: (r) => <ScoreNumber value={r.score} /> },
];

/** The devices of the highest scores. */
export function DevicesCard({ d }: { d: Dashboard }) {
  return (
    <Card title="Top exposed devices" foot={d.devices.length > 0 && <Anchor to="/devices" search={{ exposure: "High,Medium,Low" }}>Show more</Anchor>}>
      {d.devices.length > 0 ? (
        <PlainTable label="Top exposed devices" columns={deviceColumns} rows={d.devices} rowKey={(r) => r.id} middle />
      ) : (
        <Empty small title="No exposed device">No device has a weakness that counts.</Empty>
      )}
    </Card>
  );
}

/** How many weaknesses count, and how many of them are attacked. */
export function WeaknessesCard({ d }: { d: Dashboard }) {
  const s = useStyles();
  const counts: [string, number, RawSearch][] = [["on at least one device", d.weaknesses, {}], ["with a known exploit", d.exploitable, { threat: "exploit" }], ["known to be exploited (CISA KEV)", d.kev, { threat: "kev" }]];
  return (
    <Card title="Weaknesses">
      <ul className={s.list}>
        {counts.map(([label, n, search]) => (
          <li key={label} className={s.count}>
            <span className={s.big}>{n > 0 ? <Anchor to="/weaknesses" search={search} title={`Show ${plural(n, "weakness", "weaknesses")} ${label}`}>{number(n)}</Anchor> : "0"}</span>
            <span>{label}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
