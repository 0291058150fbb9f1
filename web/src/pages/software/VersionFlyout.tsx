import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { software, softwareDevices, softwareVulns } from "../../api/queries";
import type { DeviceRow, VersionRow, WeaknessRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { DeviceRef } from "../../app/DeviceRef";
import { EolFact } from "../../app/EolFact";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { Refs, type RefColumn } from "../../app/Refs";
import { number, plural, score } from "../../lib/format";
import { productPath } from "../../lib/product";
import { Tags } from "../../ui/Chip";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Severity } from "../../ui/Severity";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatIcons } from "../../ui/Threats";
import { Ago } from "../../ui/Time";

const deviceColumns = (product: string): readonly RefColumn<DeviceRow>[] => [
  { key: "name", title: "Device", sort: { key: "name", first: "asc" }, render: (r) => <DeviceRef d={r} tab="software" search={{ open: product }} /> },
  { key: "seen", title: "Last seen", sort: { key: "last_seen", first: "desc" }, width: "30%", render: (r) => (r.connected ? "Connected" : <Ago at={r.last_seen} />) },
];

const vulnColumns: readonly RefColumn<WeaknessRow>[] = [
  { key: "id", title: "Name", sort: { key: "id", first: "asc" }, render: (r) => <Anchor to="/weaknesses" search={{ open: r.id, q: r.id, exposed: "any" }}>{r.id}</Anchor> },
  { key: "severity", title: "Severity", sort: { key: "severity", first: "desc" }, width: "24%", render: (r) => <Severity level={r.severity} /> },
  { key: "cvss", title: "CVSS", sort: { key: "cvss", first: "desc" }, width: "14%", align: "end", render: (r) => score(r.cvss) },
  { key: "threats", title: "Threats", sort: { key: "threats", first: "desc" }, width: "26%", render: (r) => <ThreatIcons facts={r.threats} /> },
];

function Details({ r }: { r: VersionRow }) {
  return (
    <Section title="Version details">
      <Facts>
        <Fact name="Installed devices">{number(r.installed)}</Fact>
        <Fact name="Exposed devices">{number(r.exposed)}</Fact>
        <Fact name="Weaknesses"><SeverityBar total={r.weaknesses} counts={r.severity} /></Fact>
        <Fact name="Release or ecosystem">{r.places.join(", ")}</Fact>
        {r.eol ? <EolFact eol={[r.eol]} wide /> : <Fact name="End of support" wide>No loaded feed knows it</Fact>}
      </Facts>
    </Section>
  );
}

/** One version of a product: its support, its devices, its weaknesses. */
export function VersionFlyout({ product, version, frame, row }: { product: string; version: string; frame: FlyoutFrame; row: VersionRow | undefined }) {
  const q = useQuery(software(product));
  const r = row ?? q.data?.distribution.find((v) => v.version === version);
  const devices = useCallback((p: Record<string, string>) => softwareDevices(product, { ...p, version }), [product, version]);
  const vulns = useCallback((p: Record<string, string>) => softwareVulns(product, { ...p, version }), [product, version]);
  return (
    <Flyout
      frame={frame}
      state={q}
      title={version || "Version that is not readable"}
      subtitle={r && <><span>{q.data?.name}</span><span>{plural(r.installed, "device")}</span><Tags tags={r.tags} /></>}
      actions={<ButtonLink to={productPath(product, "devices")} search={{ version }}>Devices with this version</ButtonLink>}
      tabs={[
        { key: "details", title: "Details", render: () => (r ? <Details r={r} /> : "No device has this version any more.") },
        { key: "devices", title: "Installed devices", render: () => <Refs label="Devices with this version" query={devices} columns={deviceColumns(product)} rowKey={(d) => d.id} what="device" empty="No device has this version any more" /> },
        { key: "weaknesses", title: "Weaknesses", render: () => <Refs label="Weaknesses of this version" query={vulns} columns={vulnColumns} rowKey={(w) => w.id} what="weakness" many="weaknesses" empty="The loaded intelligence knows no weakness of it" /> },
      ]}
    />
  );
}
