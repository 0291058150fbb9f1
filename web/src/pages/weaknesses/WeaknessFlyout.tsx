import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { weakness, weaknessDevices, weaknessSoftware } from "../../api/queries";
import type { SoftwareRow, WeaknessDevice, WeaknessRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { Refs, type RefColumn } from "../../app/Refs";
import { WeaknessDetails } from "../../app/WeaknessDetails";
import { number, plural, score } from "../../lib/format";
import { vendor } from "../../lib/words";
import { Tags } from "../../ui/Chip";
import { Severity } from "../../ui/Severity";
import { State } from "../../ui/State";
import { ThreatIcons } from "../../ui/Threats";

const deviceColumns = (id: string): readonly RefColumn<WeaknessDevice>[] => [
  {
    key: "name",
    title: "Device",
    render: (r) => (
      <>
        <Anchor to={`/devices/${encodeURIComponent(r.id)}/vulnerabilities`} search={{ open: id, view: "logic", ...(r.exposed ? {} : { exposed: "any" }) }}>{r.name}</Anchor>
        <div style={{ fontSize: 12, opacity: 0.8 }}>{r.os_name}</div>
      </>
    ),
  },
  { key: "software", title: "Software", width: "34%", render: (r) => r.software.map((x) => <div key={`${x.id} ${x.version}`}>{`${x.name} ${x.version}`}</div>) },
  { key: "state", title: "State, update", width: "34%", render: (r) => <><State value={r.state} exposed={r.exposed} />{r.fix_version && <div style={{ fontSize: 12, marginTop: 4 }}>{`Update to ${r.fix_version}`}</div>}</> },
];

const softwareColumns: readonly RefColumn<SoftwareRow>[] = [
  { key: "name", title: "Software", render: (r) => <Anchor to="/software" search={{ open: r.id, q: r.name }}>{r.name}</Anchor> },
  { key: "vendor", title: "Vendor", width: "22%", render: (r) => vendor(r.vendor) },
  { key: "threats", title: "Threats", width: "20%", render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "installed", title: "Installed devices", width: "22%", render: (r) => number(r.installed) },
];

/** A weakness over all devices. */
export function WeaknessFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: WeaknessRow | undefined }) {
  const q = useQuery(weakness(id));
  const d = q.data;
  const head = d ?? row;
  const devices = useCallback((p: Record<string, string>) => weaknessDevices(id, p), [id]);
  const software = useCallback((p: Record<string, string>) => weaknessSoftware(id, p), [id]);
  return (
    <Flyout
      frame={frame}
      state={q}
      title={id}
      subtitle={
        head && (
          <>
            <Severity level={head.severity} />
            <span>{`CVSS ${score(head.cvss)}${head.cvss_version ? ` (${head.cvss_version})` : ""}`}</span>
            <span>{plural(head.exposed, "exposed device")}</span>
            <Tags tags={head.tags} />
            {head.title && <div style={{ flexBasis: "100%" }}>{head.title}</div>}
          </>
        )
      }
      tabs={[
        { key: "details", title: "Vulnerability details", render: () => d && <WeaknessDetails w={d.weakness} threats={d.threats} /> },
        { key: "devices", title: "Exposed devices", render: () => <Refs label="Devices with this weakness" query={devices} columns={deviceColumns(id)} rowKey={(r) => r.id} what="device" empty="No device has this weakness" /> },
        { key: "software", title: "Related software", render: () => <Refs label="Software with this weakness" query={software} columns={softwareColumns} rowKey={(r) => r.id} what="product" empty="No installed software has this weakness" /> },
      ]}
    />
  );
}
