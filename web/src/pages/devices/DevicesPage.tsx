import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { DesktopRegular, DocumentArrowUpRegular, ServerRegular, TagMultipleRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useState } from "react";
import { deviceGroups, devices, firstPage, operatingSystems, status, tags } from "../../api/queries";
import type { DeviceRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { ListView } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { PageHead } from "../../app/PageHead";
import { riskLevels, riskWord } from "../../lib/alerts";
import { exclusionReasons, exclusionText } from "../../lib/exclusion";
import { levelOf, levelWord, levels, values } from "../../lib/exposure";
import { number, plural } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { health, healthNames } from "../../lib/words";
import { RiskLevel } from "../../ui/Alert";
import { Chip, FirstTag } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Dotted } from "../../ui/Dotted";
import { Empty } from "../../ui/Empty";
import { ExposureLevel, ScoreNumber } from "../../ui/Exposure";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Health } from "../../ui/Health";
import { SeverityBar } from "../../ui/SeverityBar";
import { Ago, Day } from "../../ui/Time";
import { DeviceFlyout } from "./DeviceFlyout";
import { OSLife, osLives, osOptions } from "./systems";
import { SbomPanel } from "./SbomPanel";

const ManageTags = lazy(() => import("../../app/ManageTags").then((m) => ({ default: m.ManageTags })));
const BulkActions = lazy(() => import("./BulkActions").then((m) => ({ default: m.BulkActions })));

const spec: ListSpec = {
  filters: { risk: riskLevels, exposure: levels, value: values, health: healthNames, os: "any", os_version: "any", os_life: osLives.map(([v]) => v), tag: "any", device_group: "any", clone: ["true"], new: ["true", "false"], source: ["agent", "osquery", "simulated", "sbom"], managed_by: ["picket", "osquery", "nothing"], internet_facing: ["yes", "not_assessed"], isolated: ["true", "false"], excluded: ["true", "false"] },
  sorts: ["score", "name", "domain", "os", "last_seen", "first_seen", "weaknesses", "exploitable", "fixable", "software", "ip", "health", "group", "risk", "alerts", "mac", "value"],
  sort: ["-score"],
};

const managerWord: Record<DeviceRow["managed_by"], string> = { picket: "Picket agent", osquery: "osquery", nothing: "Nothing (SBOM document)" };
const facingWord: Record<DeviceRow["internet_facing"], string> = { yes: "Yes", not_assessed: "Not assessed" };

const groups: readonly FilterGroup[] = [
  { name: "risk", title: "Risk level", options: riskLevels.map((v) => ({ value: v, label: riskWord(v) })) },
  { name: "exposure", title: "Exposure level", options: levels.map((v) => ({ value: v, label: levelWord(v) })) },
  { name: "value", title: "Device value", options: values.map((v) => ({ value: v, label: v })) },
  { name: "health", title: "Sensor health", options: healthNames.map((h) => ({ value: h, label: health(h).word })) },
  { name: "os", title: "OS platform", options: [{ value: "Debian", label: "Debian" }, { value: "Ubuntu", label: "Ubuntu" }], free: { hint: "Alpine" } },
  { name: "os_version", title: "OS version", options: [], free: { hint: "12" } },
  { name: "os_life", title: "Support of the OS version", options: osLives.map(([value, label]) => ({ value, label })) },
  { name: "tag", title: "Tag", options: [], free: { hint: "production" } },
  { name: "device_group", title: "Device group", options: [] },
  { name: "source", title: "Source", options: [{ value: "agent", label: "Agent" }, { value: "osquery", label: "osquery" }, { value: "simulated", label: "Simulated agent" }, { value: "sbom", label: "SBOM (no agent)" }] },
  { name: "managed_by", title: "Managed by", options: Object.entries(managerWord).map(([value, label]) => ({ value, label })) },
  { name: "internet_facing", title: "Internet facing", options: Object.entries(facingWord).map(([value, label]) => ({ value, label })) },
  { name: "isolated", title: "Mitigation status", options: [{ value: "true", label: "Isolated" }, { value: "false", label: "Not isolated" }] },
  { name: "excluded", title: "Exclusion state", options: [{ value: "true", label: "Excluded" }, { value: "false", label: "Not excluded" }] },
  { name: "new", title: "First seen", options: [{ value: "true", label: "In the last 7 days" }, { value: "false", label: "Over 7 days ago" }] },
  { name: "clone", title: "Cloned state", options: [{ value: "true", label: "Only copies of another device" }] },
];

const sourceWord: Record<DeviceRow["source"], string> = { agent: "Agent", osquery: "osquery", simulated: "Simulated", sbom: "SBOM" };

const useStyles = makeStyles({
  name: { display: "inline-flex", verticalAlign: "middle", alignItems: "center", flexWrap: "wrap", gap: "2px 10px", maxWidth: "100%" },
  icon: { fontSize: "20px", color: tokens.colorNeutralForeground2, display: "flex" },
  text: { minWidth: 0, maxWidth: "calc(100% - 30px)", overflow: "hidden", textOverflow: "ellipsis" }, // beside the icon; chips that have no room are below
  hot: { color: tokens.colorPaletteRedForeground1, fontWeight: tokens.fontWeightSemibold },
  zero: { color: tokens.colorNeutralForeground3 },
  pills: { display: "flex", gap: "8px", flexWrap: "wrap", marginTop: "12px" },
});

function Name({ row }: { row: DeviceRow }) {
  const s = useStyles();
  return (
    <span className={s.name}>
      <span className={s.icon} aria-hidden>{/server|srv|debian|ubuntu/i.test(row.os_name) ? <ServerRegular /> : <DesktopRegular />}</span>
      <Anchor to={`/devices/${encodeURIComponent(row.id)}`} className={s.text}>{row.name || row.id.slice(0, 12)}</Anchor>
      {row.source === "sbom" && <Chip tone="info" title="A device without an agent: a bill of materials describes it.">SBOM</Chip>}
      {row.source === "osquery" && <Chip tone="info" title="osqueryd reports it: what osquery cannot tell is not assessed.">osquery</Chip>}
      {row.isolated && <Chip tone="bad" title="It is cut off from everything but this server.">Isolated</Chip>}
      {row.clone_of && <Chip tone="warn" title="Its state directory was copied from another device.">Clone</Chip>}
    </span>
  );
}

function Hot({ n }: { n: number }) {
  const s = useStyles();
  return <span className={n > 0 ? s.hot : s.zero}>{number(n)}</span>;
}

const columns: readonly Column<DeviceRow>[] = [
  { key: "name", title: "Name", width: 146, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <Name row={r} /> },
  { key: "domain", title: "Domain", width: 134, wrap: true, sort: { key: "domain", first: "asc" }, render: (r) => (r.domain ? <Dotted name={r.domain} /> : "–") },
  { key: "os", title: "OS platform", width: 132, wrap: true, sort: { key: "os", first: "asc" }, render: (r) => r.os_name || r.os_platform || "–" },
  { key: "os_version", title: "OS version", width: 100, optional: true, render: (r) => r.os_version || "–" },
  { key: "os_life", title: "OS support", width: 170, optional: true, render: (r) => <OSLife life={r.os_life} until={r.os_until} /> },
  { key: "risk", title: "Risk level", width: 106, wrap: true, sort: { key: "risk", first: "desc" }, render: (r) => <RiskLevel column level={r.risk} /> },
  { key: "exposure", title: "Exposure level", width: 104, wrap: true, render: (r) => (r.exclusion ? <Chip tone="warn" title={exclusionText(r.exclusion)}>Excluded</Chip> : <ExposureLevel level={r.exposure} reason={r.no_data} />) },
  { key: "score", title: "Score", width: 76, align: "end", sort: { key: "score", first: "desc" }, render: (r) => (levelOf(r.exposure) === "NoData" ? "–" : <ScoreNumber value={r.score} />) },
  { key: "weaknesses", title: "Weaknesses", width: 116, sort: { key: "weaknesses", first: "desc" }, render: (r) => <SeverityBar column total={r.weaknesses} counts={r.severity} /> },
  { key: "exploitable", title: "Exploitable", width: 106, align: "end", optional: true, sort: { key: "exploitable", first: "desc" }, render: (r) => <Hot n={r.exploitable} /> },
  { key: "fixable", title: "Fixable", width: 84, align: "end", optional: true, sort: { key: "fixable", first: "desc" }, render: (r) => number(r.fixable) },
  { key: "health", title: "Sensor health", width: 104, wrap: true, sort: { key: "health", first: "asc" }, render: (r) => <Health value={r.health} connected={r.connected} /> },
  { key: "last_seen", title: "Last seen", width: 100, sort: { key: "last_seen", first: "desc" }, render: (r) => (r.connected ? "Connected" : <Ago at={r.last_seen} />) },
  { key: "tags", title: "Tags", width: 120, render: (r) => <FirstTag tags={r.tags} /> },
  { key: "group", title: "Device group", width: 150, optional: true, sort: { key: "group", first: "asc" }, render: (r) => r.group },
  { key: "value", title: "Device value", width: 110, optional: true, sort: { key: "value", first: "desc" }, render: (r) => r.value },
  { key: "source", title: "Source", width: 100, optional: true, render: (r) => sourceWord[r.source] },
  { key: "managed_by", title: "Managed by", width: 170, optional: true, render: (r) => managerWord[r.managed_by] },
  { key: "internet_facing", title: "Internet facing", width: 130, optional: true, render: (r) => <span title={r.internet_facing_why}>{facingWord[r.internet_facing]}</span> },
  { key: "mitigation", title: "Mitigation status", width: 140, optional: true, render: (r) => (r.isolated ? "Isolated" : "–") },
  { key: "exclusion", title: "Exclusion state", width: 180, optional: true, render: (r) => (r.exclusion ? <span title={exclusionText(r.exclusion)}>{`Excluded: ${exclusionReasons[r.exclusion.reason]}`}</span> : "Not excluded") },
  { key: "ip", title: "IP address", width: 150, optional: true, sort: { key: "ip", first: "asc" }, render: (r) => r.ip || "–" },
  { key: "mac", title: "MAC address", width: 150, optional: true, sort: { key: "mac", first: "asc" }, render: (r) => r.mac || "–" },
  { key: "alerts", title: "Active alerts", width: 110, align: "end", optional: true, sort: { key: "alerts", first: "desc" }, render: (r) => <Hot n={r.alerts} /> },
  { key: "kev", title: "Known exploited", width: 130, align: "end", optional: true, render: (r) => <Hot n={r.kev} /> },
  { key: "software", title: "Software", width: 110, align: "end", optional: true, sort: { key: "software", first: "desc" }, render: (r) => number(r.software) },
  { key: "gaps", title: "Coverage gaps", width: 130, align: "end", optional: true, render: (r) => number(r.gaps) },
  { key: "arch", title: "Architecture", width: 120, optional: true, render: (r) => r.arch },
  { key: "first_seen", title: "First seen", width: 130, optional: true, sort: { key: "first_seen", first: "desc" }, render: (r) => <Day at={r.first_seen} /> },
  { key: "id", title: "Device id", width: 340, optional: true, render: (r) => r.id },
];

/** The filters, with the tags and device groups that there are. */
function useFilters(): readonly FilterGroup[] {
  const { data: known } = useQuery(tags);
  const { data: own } = useQuery(deviceGroups);
  const { data: systems } = useQuery(operatingSystems);
  const options: Record<string, FilterGroup["options"]> = {
    tag: (known ?? []).filter((t) => t.devices > 0).slice(0, 40).map((t) => ({ value: t.tag, label: t.tag })),
    ...osOptions(systems ?? []),
    device_group: (own ?? []).map((g) => ({ value: String(g.id), label: g.name })),
  };
  return groups.map((g) => ({ ...g, options: options[g.name]?.length ? options[g.name] ?? [] : g.options }));
}

/** How many devices there are, and of what is asked about most; each leads to its list. */
function Pills() {
  const s = useStyles();
  const { data } = useQuery(status);
  const { data: high } = useQuery(devices({ exposure: "High", ...firstPage }));
  const { data: risky } = useQuery(devices({ risk: "High", ...firstPage }));
  const { data: fresh } = useQuery(devices({ new: "true", ...firstPage }));
  const { data: out } = useQuery(devices({ excluded: "true", ...firstPage }));
  if (!data || data.devices === 0) return null;
  return (
    <div className={s.pills}>
      <Chip tone="quiet">{plural(data.devices, "device")}</Chip>
      <Chip tone={data.connected === data.devices ? "good" : "quiet"}>{`${number(data.connected)} connected`}</Chip>
      {high && <Anchor to="/devices" search={{ exposure: "High" }}><Chip tone={high.total > 0 ? "bad" : "good"}>{`${number(high.total)} with high exposure`}</Chip></Anchor>}
      {risky && <Anchor to="/devices" search={{ risk: "High" }}><Chip tone={risky.total > 0 ? "bad" : "good"}>{`${number(risky.total)} at high risk`}</Chip></Anchor>}
      {fresh && <Anchor to="/devices" search={{ new: "true" }}><Chip tone="quiet">{`${number(fresh.total)} new in 7 days`}</Chip></Anchor>}
      {out && out.total > 0 && <Anchor to="/devices" search={{ excluded: "true" }}><Chip tone="warn">{`${number(out.total)} excluded`}</Chip></Anchor>}
    </div>
  );
}

/** The Devices list. */
export function DevicesPage() {
  const [importing, setImporting] = useState(false);
  const filters = useFilters();
  const [tagging, setTagging] = useState(false);
  return (
    <PageHead title="Devices" text="Every device that has an agent or that a bill of materials describes, with what is known to be wrong with it.">
      <Pills />
      <ListView
        name="devices"
        label="Devices"
        spec={spec}
        groups={filters}
        columns={columns}
        query={devices}
        rowKey={(r) => r.id}
        searchLabel="Search name, IP or MAC address, id"
        exportPath="/devices"
        commands={<MayButton rights={["settings.security"]} appearance="subtle" icon={<DocumentArrowUpRegular />} onClick={() => setImporting(true)}>Import SBOM</MayButton>}
        rowName={(r) => r.name}
        actions={(ids, rows, clear) => (
          <>
            <MayButton rights={["alerts.investigate", "settings.security"]} appearance="subtle" icon={<TagMultipleRegular />} onClick={() => setTagging(true)}>{`Manage tags (${ids.length})`}</MayButton>
            <Button appearance="subtle" onClick={clear}>Clear selection</Button>
            <Suspense>
              <BulkActions rows={rows} onDone={clear} />
              {tagging && <ManageTags ids={ids} rows={rows} onClose={() => setTagging(false)} onDone={() => { setTagging(false); clear(); }} />}
            </Suspense>
          </>
        )}
        flyout={(id, frame, row) => <DeviceFlyout key={id} id={id} frame={frame} row={row} />}
        empty={
          <Empty icon={<DesktopRegular />} title="No device is enrolled yet" action={<ButtonLink primary to="/settings/onboarding">Onboard a device</ButtonLink>}>
            Install the agent on a host with a token from Settings › Onboarding. The device shows here within seconds of its enrolment.
          </Empty>
        }
      />
      {importing && <SbomPanel onClose={() => setImporting(false)} />}
    </PageHead>
  );
}
