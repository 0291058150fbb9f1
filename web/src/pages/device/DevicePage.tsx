import { Button, Spinner, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { ArrowDownloadRegular, DeleteRegular, EyeOffRegular, EyeRegular, PanelLeftContractRegular, PanelLeftExpandRegular, ServerRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { Suspense, lazy, useEffect, useState } from "react";
import { device, deviceRecommendations, firstPage } from "../../api/queries";
import { address } from "../../api/client";
import { Anchor } from "../../app/Anchor";
import { ErrorPage } from "../../app/ErrorPage";
import { MayButton } from "../../app/MayButton";
import { useDeviceId } from "../../app/useDeviceId";
import { vexDownloads } from "../../app/vexDownloads";
import { exclusionText } from "../../lib/exclusion";
import { releaseName, support } from "../../lib/words";
import { Chip, Tags } from "../../ui/Chip";
import { ExposureChip } from "../../ui/Exposure";
import { Health } from "../../ui/Health";
import { Menu } from "../../ui/Menu";
import { TabStrip } from "../../ui/TabStrip";
import { Ago } from "../../ui/Time";
import { Sidebar } from "./Sidebar";

const ResponseBar = lazy(() => import("./ResponseBar").then((m) => ({ default: m.ResponseBar })));
const DeviceChange = lazy(() => import("../../app/DeviceChange").then((m) => ({ default: m.DeviceChange })));
const RemoveDevice = lazy(() => import("./RemoveDevice").then((m) => ({ default: m.RemoveDevice })));

const useStyles = makeStyles({
  page: { display: "flex", flexDirection: "column", flexGrow: 1, minHeight: 0 },
  head: { padding: "14px 32px 0", flexShrink: 0 },
  crumbs: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3, display: "flex", gap: "6px", marginBottom: "6px" },
  line: { display: "flex", alignItems: "center", gap: "14px", flexWrap: "wrap", minHeight: "40px" },
  icon: { fontSize: "30px", color: tokens.colorCompoundBrandForeground1, display: "flex" },
  title: { margin: 0, fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  facts: { display: "flex", gap: "6px 16px", alignItems: "center", flexWrap: "wrap", color: tokens.colorNeutralForeground2 },
  response: { minHeight: "32px", margin: "6px 0" }, // in its place before it is loaded
  body: { display: "flex", flexGrow: 1, minHeight: 0, borderTop: `1px solid ${tokens.colorNeutralStroke2}` },
  main: { display: "flex", flexDirection: "column", flexGrow: 1, minWidth: 0, minHeight: 0 },
  tabs: { display: "flex", alignItems: "center", flexShrink: 0, padding: "0 12px 0 8px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  tab: { flexGrow: 1, minHeight: 0, display: "flex", flexDirection: "column", padding: "0 24px 4px", overflow: "auto" },
  plain: { padding: "20px 24px 32px", backgroundColor: tokens.colorNeutralBackground2, display: "block" },
  wait: { flexGrow: 1 },
  tools: { marginLeft: "auto", display: "flex", alignItems: "center", gap: "4px" },
});

const tabs: Record<string, string> = { overview: "Overview", alerts: "Alerts", timeline: "Timeline", recommendations: "Security recommendations", configuration: "Configuration", software: "Software inventory", vulnerabilities: "Discovered vulnerabilities", updates: "Missing updates" };

/** The frame of a device's page: head, sidebar and tabs. */
export function DevicePage() {
  const s = useStyles();
  const id = useDeviceId();
  const path = useLocation({ select: (l) => l.pathname });
  const navigate = useNavigate();
  const [removing, setRemoving] = useState(false);
  const [changing, setChanging] = useState(false);
  const [gone, setGone] = useState(false); // then nothing is asked about it any more
  const { data: d, error, refetch } = useQuery({ ...device(id), enabled: !gone });
  const { data: todo } = useQuery({ ...deviceRecommendations(id, firstPage), enabled: !gone });
  const [side, setSide] = useState(() => window.innerWidth > 1024);
  const base = `/devices/${encodeURIComponent(id)}`;
  const last = path.split("/")[3] ?? "";
  const tab = last in tabs ? last : "overview";
  const name = d?.name ?? "Device";
  useEffect(() => {
    document.title = `${name} · Picket`;
  }, [name]);
  if (error && !d) return <ErrorPage error={error} retry={() => void refetch()} />;
  if (!d) return <Spinner className={s.wait} label="Reading the device …" />;
  const counts: Record<string, number | undefined> = { alerts: d.alerts, recommendations: todo?.total, software: d.software, vulnerabilities: d.weaknesses };
  return (
    <div className={s.page}>
      <div className={s.head}>
        <nav className={s.crumbs} aria-label="Breadcrumb">
          <Anchor to="/devices">Devices</Anchor>
          <span aria-hidden>›</span>
          <span>{d.name}</span>
        </nav>
        <div className={s.line}>
          <span className={s.icon} aria-hidden><ServerRegular /></span>
          <h1 className={s.title}>{d.name}</h1>
          <div className={s.facts}>
            <ExposureChip level={d.exposure} />
            {d.isolated && <Chip tone="bad" title={`It is cut off from everything but this server${d.isolation?.until ? "; it ends by itself" : ""}.`}>Isolated</Chip>}
            <Health value={d.health} connected={d.connected} />
            <span>{d.os_name}</span>
            {d.os_support?.tag && <Tags tags={[d.os_support.tag]} title={`${releaseName(d.os_support)}: ${support(d.os_support)}`} />}
            {d.source === "osquery" && <Chip tone="info" title="osqueryd reports it: what osquery cannot tell is not assessed.">osquery</Chip>}
            {d.sbom && <Chip tone="info" title={`A device without an agent, as ${d.sbom.tools.join(", ") || "a bill of materials"} describes it.`}>SBOM</Chip>}
            <span>{d.connected ? "Connected now" : <>Last seen <Ago at={d.last_seen} /></>}</span>
            {d.exclusion && <Chip tone="warn" title={`Out of scores and lists. ${exclusionText(d.exclusion)}`}>Excluded</Chip>}
            {d.clone_of && <Chip tone="warn" title="The state directory of this device was copied from another one; the copy got an identity of its own.">Clone of <Anchor to={`/devices/${d.clone_of}`}>{d.clone_of.slice(0, 8)}</Anchor></Chip>}
            {d.clones.length > 0 && <Chip tone="warn">{`${d.clones.length} cloned from this`}</Chip>}
          </div>
          <div className={s.tools}>
            <MayButton rights={["alerts.investigate", "settings.security"]} appearance="subtle" icon={d.exclusion ? <EyeRegular /> : <EyeOffRegular />} onClick={() => setChanging(true)}>{d.exclusion ? "Take in again" : "Exclude"}</MayButton>
            {(d.sbom !== null || d.source === "osquery") && <MayButton rights={["settings.security"]} appearance="subtle" icon={<DeleteRegular />} aria-label="Remove" title="Remove this device" onClick={() => setRemoving(true)} />}
            <Menu
              label="Download"
              align="end"
              entries={[
                { kind: "download", key: "cyclonedx", text: "SBOM, CycloneDX 1.6", href: address(`/devices/${d.id}/sbom`, { format: "cyclonedx" }) },
                { kind: "download", key: "spdx", text: "SBOM, SPDX 2.3", href: address(`/devices/${d.id}/sbom`, { format: "spdx" }) },
                { kind: "rule", key: "vex" },
                ...vexDownloads((format) => address(`/devices/${d.id}/vex`, { format })),
              ]}
              trigger={(t) => <Button {...t} appearance="subtle" icon={<ArrowDownloadRegular />}>Download</Button>}
            />
          </div>
        </div>
        <div className={s.response}>
          <Suspense><ResponseBar key={d.id} d={d} /></Suspense>
        </div>
      </div>
      {changing && <Suspense><DeviceChange change={d.exclusion ? "include" : "exclude"} devices={[d]} onClose={() => setChanging(false)} onDone={() => setChanging(false)} /></Suspense>}
      {removing && <Suspense><RemoveDevice d={d} gone={gone} onGone={setGone} onClose={() => setRemoving(false)} /></Suspense>}
      <div className={s.body}>
        {side && <Sidebar d={d} />}
        <div className={s.main}>
          <div className={s.tabs}>
            <Button appearance="subtle" icon={side ? <PanelLeftContractRegular /> : <PanelLeftExpandRegular />} aria-label={side ? "Hide device details" : "Show device details"} title={side ? "Hide device details" : "Show device details"} onClick={() => setSide(!side)} />
            <TabStrip tabs={Object.entries(tabs).map(([key, title]) => ({ key, title, count: counts[key] }))} selected={tab} onSelect={(t) => void navigate({ to: t === "overview" ? base : `${base}/${t}` })} />
          </div>
          <div className={mergeClasses(s.tab, tab === "overview" && s.plain)} role="tabpanel" aria-label={tabs[tab]} tabIndex={tab === "overview" ? 0 : undefined}>
            {!gone && <Outlet />}
          </div>
        </div>
      </div>
    </div>
  );
}
