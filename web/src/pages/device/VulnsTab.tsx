import { ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { device, deviceVulns, status } from "../../api/queries";
import type { DeviceVulnRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { ListView } from "../../app/ListView";
import { useDeviceId } from "../../app/useDeviceId";
import { percent, score, sentence } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { products, severities, severityWord, state, stateNames, threatFilter, threatNames } from "../../lib/words";
import { Chip } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Severity } from "../../ui/Severity";
import { State } from "../../ui/State";
import { ThreatIcons } from "../../ui/Threats";
import { Day } from "../../ui/Time";
import { VulnFlyout } from "./VulnFlyout";

const spec: ListSpec = {
  filters: { severity: severities, state: stateNames, fix: ["available", "none"], threat: threatNames, exposed: ["true", "false"], exception: ["true", "false"], software: "any" },
  sorts: ["id", "severity", "cvss", "epss", "published", "updated", "software", "state", "first_seen"],
  sort: ["-severity", "-cvss"],
  defaults: { exposed: ["true"] },
};

const groups: readonly FilterGroup[] = [
  { name: "severity", title: "Severity", options: severities.map((v) => ({ value: v, label: severityWord[v] })) },
  { name: "fix", title: "Fix", options: [{ value: "available", label: "Fix available" }, { value: "none", label: "No fix" }] },
  threatFilter,
  { name: "exposed", title: "Counts in exposure", options: [{ value: "true", label: "Yes" }, { value: "false", label: "No" }] },
  { name: "exception", title: "Under an exception", options: [{ value: "true", label: "Yes" }, { value: "false", label: "No" }] },
  { name: "state", title: "State", options: stateNames.map((v) => ({ value: v, label: state(v).word })) },
  { name: "software", title: "Software (product id)", options: [], free: { hint: "debian-_-openssl" } },
];

const related = (r: DeviceVulnRow): string => products(r.software);

const columns: readonly Column<DeviceVulnRow>[] = [
  { key: "id", title: "Name", width: 152, sort: { key: "id", first: "desc" }, render: (r) => <OpenLink id={r.id}>{r.id}</OpenLink> },
  { key: "severity", title: "Severity", width: 112, sort: { key: "severity", first: "desc" }, render: (r) => <Severity level={r.severity} /> },
  { key: "cvss", title: "CVSS", width: 92, align: "end", sort: { key: "cvss", first: "desc" }, render: (r) => <span title={r.cvss_version && `CVSS ${r.cvss_version}`}>{score(r.cvss)}</span> },
  { key: "software", title: "Related software", width: 150, grow: true, sort: { key: "software", first: "asc" }, render: (r) => <span title={related(r)}>{related(r)}</span> },
  { key: "published", title: "Published on", width: 124, sort: { key: "published", first: "desc" }, render: (r) => <Day at={r.published} /> },
  { key: "updated", title: "Updated on", width: 120, sort: { key: "updated", first: "desc" }, render: (r) => <Day at={r.updated} /> },
  { key: "threats", title: "Threats", width: 116, render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "exception", title: "Exception", width: 108, optional: true, render: (r) => (r.exception ? <Chip tone="info" title="All of it that counts here is under exceptions">Exception</Chip> : "–") },
  { key: "state", title: "State", width: 190, optional: true, sort: { key: "state", first: "asc" }, render: (r) => <State value={r.state} exposed={r.exposed} /> },
  { key: "fix", title: "Fixed version", width: 190, optional: true, render: (r) => <span title={r.fix_version}>{r.fix_version || "–"}</span> },
  { key: "first_seen", title: "First seen", width: 130, optional: true, sort: { key: "first_seen", first: "desc" }, render: (r) => <Day at={r.first_seen} /> },
  { key: "epss", title: "EPSS", width: 90, align: "end", optional: true, sort: { key: "epss", first: "desc" }, render: (r) => percent(r.epss) },
  { key: "title", title: "Title", width: 300, optional: true, render: (r) => <span title={r.title}>{r.title || "–"}</span> },
];

/** The weaknesses of one device. */
export function VulnsTab() {
  const id = useDeviceId();
  const query = useCallback((q: Record<string, string>) => deviceVulns(id, q), [id]);
  const { data: st } = useQuery(status);
  const { data: d } = useQuery(device(id));
  return (
    <ListView
      key={id}
      name="device-vulns"
      label="Discovered vulnerabilities"
      spec={spec}
      groups={groups}
      columns={columns}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search id, title, software"
      exportPath={`/devices/${encodeURIComponent(id)}/vulnerabilities`}
      flyout={(weakness, frame, row) => <VulnFlyout key={weakness} device={id} weakness={weakness} frame={frame} row={row} />}
      empty={
        st?.intelligence_empty ? (
          <Empty icon={<ShieldCheckmarkRegular />} title="No intelligence is loaded" action={<ButtonLink primary to="/settings/intelligence">Open Intelligence</ButtonLink>}>
            Nothing can be said of this device before a feed speaks for its software.
          </Empty>
        ) : d?.no_data ? (
          <Empty icon={<ShieldCheckmarkRegular />} title="Nothing could be judged">{sentence(d.no_data)}</Empty>
        ) : (
          <Empty icon={<ShieldCheckmarkRegular />} title="No finding">The loaded intelligence knows no weakness of the software on this device. Look at the coverage gaps on the Overview for what could not be judged.</Empty>
        )
      }
    />
  );
}
