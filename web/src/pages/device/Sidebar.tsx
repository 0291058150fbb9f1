import { makeStyles, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import type { Device } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { EolFact } from "../../app/EolFact";
import { setPrefs, usePrefs } from "../../app/prefs";
import { levelOf } from "../../lib/exposure";
import { bytes, number, sentence } from "../../lib/format";
import { toggle } from "../../lib/search";
import { RiskLevel } from "../../ui/Alert";
import { ExposureLevel, ScoreNumber } from "../../ui/Exposure";
import { Fact, Facts } from "../../ui/Facts";
import { Fold } from "../../ui/Fold";
import { Health } from "../../ui/Health";
import { SeverityBar } from "../../ui/SeverityBar";
import { Ago, Moment } from "../../ui/Time";
import { CoverageList } from "./CoverageList";
import { LatestPackage } from "./LatestPackage";
import { TagEditor } from "./TagEditor";
import { ValueMenu } from "./ValueMenu";
import { scoreFlyout } from "./scoreFlyout";

const useStyles = makeStyles({
  side: { width: "272px", flexShrink: 0, overflowY: "auto", borderRight: `1px solid ${tokens.colorNeutralStroke2}`, paddingBottom: "24px" },
  name: { padding: "16px 20px 14px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  label: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  full: { fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  quiet: { color: tokens.colorNeutralForeground3 },
});

const hardware = (d: Device): string => [d.hardware.manufacturer, d.hardware.model].filter(Boolean).join(" ");
const cpu = (d: Device): string => [d.hardware.cpu_model, d.hardware.cpu_cores ? `${d.hardware.cpu_cores} cores` : ""].filter(Boolean).join(", ");

/** The facts of a device, in sections that fold; which ones are folded is remembered. */
export function Sidebar({ d }: { d: Device }) {
  const s = useStyles();
  const { folded } = usePrefs();
  const fold = (key: string, title: string, body: ReactNode, aside?: ReactNode) => (
    <Fold title={title} aside={aside} open={!folded.includes(key)} onToggle={() => setPrefs({ folded: toggle(folded, key) })}>
      {body}
    </Fold>
  );
  const nets = d.interfaces.filter((i) => !i.loopback);
  const partial = d.sections.filter((x) => x.status === "partial").length;
  return (
    <aside className={s.side} aria-label="Device facts" tabIndex={0}>
      <div className={s.name}>
        <div className={s.label}>Full name</div>
        <div className={s.full}>{d.fqdn || d.name}</div>
      </div>
      {fold("tags", "Tags", <TagEditor d={d} />)}
      {fold(
        "security",
        "Security info",
        <Facts stack>
          <Fact name="Active alerts">{d.alerts > 0 ? <Anchor to={`/devices/${encodeURIComponent(d.id)}/alerts`} search={{ active: "true" }}>{number(d.alerts)}</Anchor> : "0"}</Fact>
          <Fact name="Risk level"><RiskLevel level={d.risk} /></Fact>
          <Fact name="Exposure level"><ExposureLevel level={d.exposure} reason={d.no_data} /></Fact>
          {d.no_data !== "" && <Fact name="Why there is no data">{sentence(d.no_data)}</Fact>}
          <Fact name="Exposure score">
            {levelOf(d.exposure) === "NoData" ? "–" : <><ScoreNumber value={d.score} />{" · "}<Anchor to={`/devices/${encodeURIComponent(d.id)}`} search={{ open: scoreFlyout }}>Why this score</Anchor></>}
          </Fact>
          <Fact name="Weaknesses"><SeverityBar total={d.weaknesses} counts={d.severity} /></Fact>
          <Fact name="Exploitable">{number(d.exploitable)}</Fact>
          <Fact name="Known exploited (KEV)">{number(d.kev)}</Fact>
          <Fact name="Fix available">{number(d.fixable)}</Fact>
        </Facts>,
      )}
      {fold(
        "details",
        "Device details",
        <Facts stack>
          <Fact name="Device value"><ValueMenu d={d} /></Fact>
          <Fact name="Device group">{d.group}</Fact>
          <Fact name="Health state"><Health value={d.health} connected={d.connected} /></Fact>
          <Fact name="Domain">{d.domain}</Fact>
          <Fact name="Operating system">{d.os_name}</Fact>
          <EolFact eol={d.os_support ? [d.os_support] : []} />
          <Fact name="First seen"><Moment at={d.first_seen} /></Fact>
          <Fact name="IP addresses">{nets.some((i) => i.addresses.length > 0) ? nets.flatMap((i) => i.addresses).map((a) => <div key={a}>{a}</div>) : d.ip}</Fact>
          <Fact name="Running kernel">{d.kernel.release}</Fact>
          <Fact name="Architecture">{d.arch}</Fact>
          <Fact name="Started">{d.kernel.boot_time && <Moment at={d.kernel.boot_time} />}</Fact>
          <Fact name="Hardware">{hardware(d)}</Fact>
          <Fact name="Virtualisation">{d.hardware.virtual}</Fact>
          <Fact name="Processor">{cpu(d)}</Fact>
          <Fact name="Memory">{d.hardware.memory_bytes ? bytes(d.hardware.memory_bytes) : ""}</Fact>
          <Fact name="Disk">{d.hardware.disk_bytes ? bytes(d.hardware.disk_bytes) : ""}</Fact>
          <Fact name="Serial number">{d.hardware.serial}</Fact>
          {d.sbom ? (
            <>
              <Fact name="Source">{`${d.sbom.format === "spdx" ? "SPDX" : "CycloneDX"} ${d.sbom.spec}${d.sbom.tools.length > 0 ? ` by ${d.sbom.tools.join(", ")}` : ""}`}</Fact>
              <Fact name="Document of"><Moment at={d.sbom.made} /></Fact>
              <Fact name="Imported"><Ago at={d.sbom.loaded} />{d.sbom.loaded_by && ` by ${d.sbom.loaded_by}`}</Fact>
              <Fact name="Subject">{d.sbom.subject}</Fact>
            </>
          ) : (
            <Fact name="Agent version">{d.agent_version}</Fact>
          )}
          {!d.sbom && <LatestPackage device={d.id} />}
          <Fact name="Device id">{d.id}</Fact>
        </Facts>,
      )}
      {fold(
        "network",
        "Network activity",
        <Facts stack>
          <Fact name="First seen"><Moment at={d.first_seen} /></Fact>
          <Fact name="Last seen">{d.connected ? "Connected now" : <Ago at={d.last_seen} />}</Fact>
          {nets.map((i) => (
            <Fact key={i.name} name={`${i.name}${i.up ? "" : " (down)"}`}>
              {i.addresses.map((a) => <div key={a}>{a}</div>)}
              {i.mac && <div className={s.quiet}>{i.mac}</div>}
              {i.addresses.length === 0 && !i.mac && "–"}
            </Fact>
          ))}
          {nets.length === 0 && <Fact name="IP address">{d.ip}</Fact>}
          <Fact name="Internet facing"><span title={d.internet_facing_why}>{d.internet_facing === "yes" ? "Yes" : "Not assessed"}</span>{d.internet_facing === "yes" && <div className={s.quiet}>{d.internet_facing_why}</div>}</Fact>
        </Facts>,
      )}
      {fold("coverage", "Coverage", <CoverageList sections={d.sections} />, partial > 0 ? `${partial} partial` : `${d.sections.filter((x) => x.status === "complete").length} complete`)}
    </aside>
  );
}
