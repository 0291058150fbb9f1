import { Button } from "@fluentui/react-components";
import { AlertRegular, EditRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { alerts, alertSummary, techniques } from "../../api/alerts";
import type { AlertRow } from "../../api/schema";
import { Anchor, OpenLink } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { alertCategories, alertSeverities, alertSeverityWord, alertSource, alertStatus, alertStatuses, classification, classifications, sourceWord, spaced } from "../../lib/alerts";
import { number, plural } from "../../lib/format";
import { stateNames, stateWord } from "../../lib/investigations";
import type { ListSpec, RawSearch } from "../../lib/search";
import { AlertSeverity, AlertStatus } from "../../ui/Alert";
import { Chip } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Ago, Day } from "../../ui/Time";
import { AlertFlyout } from "./AlertFlyout";
import { BulkPanel } from "./BulkPanel";

const spec: ListSpec = {
  filters: {
    severity: alertSeverities, status: alertStatuses, category: alertCategories, classification: ["-", ...classifications], assigned: "any", active: ["true", "false"], source: "any", technique: "any", entity: "any",
    device: "any", weakness: "any", software: "any", recommendation: "any", simulated: ["true", "false"], from: "any", to: "any", raised: ["1", "7", "30"], investigation_state: ["-", ...stateNames],
  },
  sorts: ["created", "updated", "first_event", "last_event", "title", "severity", "status", "category", "device", "assigned", "user", "classification", "investigation_state"],
  sort: ["-created"],
};

const groups: readonly FilterGroup[] = [
  { name: "severity", title: "Severity", options: alertSeverities.map((v) => ({ value: v, label: alertSeverityWord(v) })) },
  { name: "status", title: "Status", options: alertStatuses.map((v) => ({ value: v, label: alertStatus(v).word })) },
  { name: "raised", title: "Raised", options: [{ value: "1", label: "Last day" }, { value: "7", label: "Last 7 days" }, { value: "30", label: "Last 30 days" }] },
  { name: "investigation_state", title: "Investigation state", options: [{ value: "-", label: "Not investigated" }, ...stateNames.map((v) => ({ value: v, label: stateWord(v)[0] }))] },
  { name: "active", title: "Counts in risk and exposure", options: [{ value: "true", label: "Active alerts" }, { value: "false", label: "Resolved, false or expected" }] },
  { name: "assigned", title: "Assigned to", options: [], free: { hint: "alice" } },
  { name: "category", title: "Category", options: alertCategories.map((v) => ({ value: v, label: spaced(v) })) },
  { name: "classification", title: "Classification", options: ["-", ...classifications].map((v) => ({ value: v, label: classification(v) })) },
  { name: "source", title: "Detection source", options: ["CustomDetection", "ThirdPartySensors", "CustomerTI"].map((v) => ({ value: v, label: sourceWord(v) })) },
  { name: "technique", title: "ATT&CK technique", options: [], free: { hint: "T1053" } },
  { name: "entity", title: "Evidence", options: [], free: { hint: "ip:192.0.2.7" } },
  { name: "weakness", title: "On devices exposed to", options: [], free: { hint: "CVE-2024-3094" } },
  { name: "software", title: "On devices exposed by software", options: [], free: { hint: "debian-_-openssl" } },
  { name: "recommendation", title: "On devices of a recommendation", options: [], free: { hint: "va-_-debian-_-openssl" } },
  { name: "simulated", title: "Device", options: [{ value: "false", label: "Real devices" }, { value: "true", label: "Simulated devices" }] },
];

function Investigated({ r }: { r: AlertRow }) {
  if (!r.investigation) return <>–</>;
  return <Anchor to={`/investigations/${r.investigation}`}>{stateWord(r.investigation_state ?? "")[0]}</Anchor>;
}

/** The device and its user, and how many other devices have the same. */
function Impacted({ r }: { r: AlertRow }) {
  const all = [r.device_name, r.user].filter((v) => v !== "").join(", ");
  return <span title={r.elsewhere > 0 ? `${all}; an active alert of the same title is on ${plural(r.elsewhere, "other device")}` : all}>{all}{r.elsewhere > 0 && ` and ${plural(r.elsewhere, "other device")}`}</span>;
}

const columns: readonly Column<AlertRow>[] = [
  { key: "title", title: "Alert", width: 174, grow: true, sort: { key: "title", first: "asc" }, render: (r) => <><OpenLink id={r.id}>{r.title}</OpenLink>{r.simulated && <> <Chip tone="info" title="Its device is a simulated one.">Simulated</Chip></>}</> },
  { key: "severity", title: "Severity", width: 130, sort: { key: "severity", first: "desc" }, render: (r) => <AlertSeverity level={r.severity} /> },
  { key: "status", title: "Status", width: 104, sort: { key: "status", first: "asc" }, render: (r) => <AlertStatus value={r.status} /> },
  { key: "category", title: "Category", width: 106, wrap: true, sort: { key: "category", first: "asc" }, render: (r) => spaced(r.category) },
  { key: "device", title: "Device", width: 124, sort: { key: "device", first: "asc" }, render: (r) => <Anchor to={`/devices/${encodeURIComponent(r.device_id)}`} title={r.device_name}>{r.device_name}</Anchor> },
  { key: "investigation", title: "Investigation state", width: 124, wrap: true, sort: { key: "investigation_state", first: "asc" }, render: (r) => <Investigated r={r} /> },
  { key: "impacted", title: "Impacted entities", width: 132, wrap: true, render: (r) => <Impacted r={r} /> },
  { key: "user", title: "User", width: 82, optional: true, sort: { key: "user", first: "asc" }, render: (r) => <span title={r.user}>{r.user || "–"}</span> },
  { key: "classification", title: "Classification", width: 124, wrap: true, optional: true, sort: { key: "classification", first: "asc" }, render: (r) => classification(r.classification) },
  { key: "assigned", title: "Assigned to", width: 94, sort: { key: "assigned", first: "asc" }, render: (r) => <span title={r.assigned_to}>{r.assigned_to || "–"}</span> },
  { key: "last_event", title: "Last activity", width: 104, sort: { key: "last_event", first: "desc" }, render: (r) => <Ago at={r.last_event} /> },
  { key: "created", title: "Raised", width: 104, optional: true, sort: { key: "created", first: "desc" }, render: (r) => <Ago at={r.created_at} /> },
  { key: "techniques", title: "Techniques", width: 130, optional: true, render: (r) => <span title={r.techniques.map((t) => `${t.id} ${t.name}`).join("\n")}>{r.techniques.map((t) => t.id).join(", ") || "–"}</span> },
  { key: "determination", title: "Determination", width: 140, optional: true, render: (r) => (r.determination ? spaced(r.determination) : "–") },
  { key: "events", title: "Events", width: 80, align: "end", optional: true, render: (r) => number(r.events) },
  { key: "source", title: "Detection source", width: 150, optional: true, render: (r) => alertSource(r) },
  { key: "maker", title: "Raised by", width: 120, optional: true, render: (r) => r.maker },
  { key: "group", title: "Device group", width: 140, optional: true, render: (r) => r.group },
  { key: "updated", title: "Last change", width: 112, optional: true, sort: { key: "updated", first: "desc" }, render: (r) => <Ago at={r.updated_at} /> },
  { key: "first_event", title: "First activity", width: 124, optional: true, sort: { key: "first_event", first: "desc" }, render: (r) => <Day at={r.first_event} /> },
  { key: "id", title: "Alert id", width: 240, optional: true, render: (r) => r.id },
];

// The page of a device names it already.
const ofDevice = columns.filter((c) => c.key !== "device" && c.key !== "group").map((c) => (["category", "user"].includes(c.key) ? { ...c, optional: true } : c));

// The page of an entity has parts of the address of its own.
const ofEntity: ListSpec = { ...spec, extra: ["tab", "days"] };

/** Alerts as a list, for a page or a tab; its state is in the URL. `device` narrows it to one device, `entity` to those whose evidence names a thing. */
export function AlertList({ device, entity }: { device?: string; entity?: string }) {
  const { data: summary } = useQuery(alertSummary);
  const { data: known } = useQuery(techniques);
  const [bulk, setBulk] = useState(false);
  const fixed = useMemo((): RawSearch => ({ ...(device ? { device } : {}), ...(entity ? { entity } : {}) }), [device, entity]);
  const query = useCallback((q: RawSearch) => alerts({ ...q, ...fixed }), [fixed]);
  const filled = useMemo(() => {
    const options: Record<string, FilterGroup["options"]> = {
      assigned: [{ value: "-", label: "Nobody" }, ...(summary?.assignees ?? []).map((v) => ({ value: v, label: v }))],
      technique: (known ?? []).slice(0, 60).map((t) => ({ value: t.id, label: `${t.id} ${t.name}` })),
    };
    return groups.filter((g) => (!device || g.name !== "simulated") && (!entity || g.name !== "entity")).map((g) => ({ ...g, options: options[g.name] ?? g.options }));
  }, [summary, known, device, entity]);
  return (
    <ListView
      name={device ? "device-alerts" : entity ? "entity-alerts" : "alerts"}
      label="Alerts"
      spec={entity ? ofEntity : spec}
      groups={filled}
      columns={device ? ofDevice : columns}
      query={query}
      rowKey={(r) => r.id}
      rowName={(r) => r.title}
      searchLabel="Search alerts"
      exportPath="/alerts"
      fixed={fixed}
      actions={(ids, _, clear) => (
        <>
          <MayButton rights={["alerts.investigate"]} appearance="subtle" icon={<EditRegular />} onClick={() => setBulk(true)}>{`Manage alerts (${ids.length})`}</MayButton>
          <Button appearance="subtle" onClick={clear}>Clear selection</Button>
          {bulk && <BulkPanel ids={ids} onClose={() => setBulk(false)} onDone={() => { setBulk(false); clear(); }} />}
        </>
      )}
      flyout={(id, frame, row) => <AlertFlyout key={id} id={id} frame={frame} row={row} />}
      empty={
        <Empty icon={<AlertRegular />} title="No alert was raised">
          {entity ? "No alert that you may see has it among its evidence." : device ? "Open an event of the timeline to raise one about it." : "Programs raise alerts over the API, people from an event of a device's timeline."}
        </Empty>
      }
    />
  );
}
