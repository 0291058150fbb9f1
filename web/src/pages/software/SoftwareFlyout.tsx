import { OpenRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { software, softwareDevices, softwareVulns } from "../../api/queries";
import type { DeviceRow, Software, SoftwareRow, WeaknessRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { AssociatedAlerts } from "../../app/AssociatedAlerts";
import { ButtonLink } from "../../app/ButtonLink";
import { EolFact } from "../../app/EolFact";
import { ExceptionButton } from "../../app/ExceptionButton";
import { ExceptionForm } from "../../app/ExceptionForm";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { Refs, type RefColumn } from "../../app/Refs";
import { ReportButton } from "../../app/ReportButton";
import { number, score } from "../../lib/format";
import { productPath } from "../../lib/product";
import { vendor } from "../../lib/words";
import { Tags } from "../../ui/Chip";
import { CopyButton, Mono } from "../../ui/Copy";
import { Impact } from "../../ui/Exposure";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Severity } from "../../ui/Severity";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatIcons, ThreatList } from "../../ui/Threats";
import { Ago } from "../../ui/Time";
import { Versions } from "../../app/Versions";

const deviceColumns = (product: string): readonly RefColumn<DeviceRow>[] => [
  { key: "name", title: "Device", sort: { key: "name", first: "asc" }, render: (r) => <Anchor to={`/devices/${encodeURIComponent(r.id)}/software`} search={{ open: product }}>{r.name}</Anchor> },
  { key: "os", title: "Operating system", sort: { key: "os", first: "asc" }, width: "44%", render: (r) => r.os_name },
  { key: "seen", title: "Last seen", sort: { key: "last_seen", first: "desc" }, width: "18%", render: (r) => (r.connected ? "Connected" : <Ago at={r.last_seen} />) },
];

const vulnColumns: readonly RefColumn<WeaknessRow>[] = [
  { key: "id", title: "Name", sort: { key: "id", first: "asc" }, render: (r) => <Anchor to="/weaknesses" search={{ open: r.id, q: r.id, exposed: "any" }}>{r.id}</Anchor> },
  { key: "severity", title: "Severity", sort: { key: "severity", first: "desc" }, width: "22%", render: (r) => <Severity level={r.severity} /> },
  { key: "cvss", title: "CVSS", sort: { key: "cvss", first: "desc" }, width: "12%", render: (r) => score(r.cvss) },
  { key: "threats", title: "Threats", sort: { key: "threats", first: "desc" }, width: "18%", render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "exposed", title: "Exposed", sort: { key: "exposed", first: "desc" }, width: "14%", render: (r) => number(r.exposed) },
];

function Details({ d }: { d: Software }) {
  return (
    <>
      <Section title="Software details">
        <Facts>
          <Fact name="Vendor">{vendor(d.vendor)}</Fact>
          <Fact name="Ecosystem">{d.ecosystem}</Fact>
          <Fact name="Installed devices">{number(d.installed)}</Fact>
          <Fact name="Exposed devices">{d.not_assessed && d.exposed === 0 ? "–" : number(d.exposed)}</Fact>
          <Fact name="Impact on the exposure score"><Impact value={d.impact} /></Fact>
          <Fact name="Versions">{number(d.versions)}</Fact>
          <Fact name="Weaknesses">{(d.weaknesses > 0 || !d.not_assessed) && <SeverityBar total={d.weaknesses} counts={d.severity} />}</Fact>
          <Fact name="Not assessed" wide>{d.not_assessed}</Fact>
          <Fact name="Tags">{d.tags.length > 0 && <Tags tags={d.tags} />}</Fact>
          <EolFact eol={d.eol} wide />
          <Fact name="Product code" wide>{d.product_code && <><Mono>{d.product_code}</Mono> <CopyButton text={d.product_code} what="product code" /></>}</Fact>
          <Fact name="Product id" wide><Mono>{d.id}</Mono></Fact>
        </Facts>
      </Section>
      <Section title="Threat insights">
        <ThreatList facts={d.threats} />
      </Section>
      <AssociatedAlerts of={{ software: d.id }} />
    </>
  );
}

/** A product over all devices. */
export function SoftwareFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: SoftwareRow | undefined }) {
  const q = useQuery(software(id));
  const d = q.data;
  const head = d ?? row;
  const devices = useCallback((p: Record<string, string>) => softwareDevices(id, p), [id]);
  const vulns = useCallback((p: Record<string, string>) => softwareVulns(id, p), [id]);
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head?.name ?? id}
      subtitle={head && <><span>{vendor(head.vendor)}</span><span>{`installed on ${number(head.installed)}, exposed on ${number(head.exposed)}`}</span></>}
      actions={
        <>
          <ButtonLink to={productPath(id)} icon={<OpenRegular />}>Open software page</ButtonLink>
          <ExceptionButton frame={frame} />
          <ReportButton kind="software" subject={id} name={head?.name ?? id} />
        </>
      }
      tabs={[
        { key: "details", title: "Details", render: () => d && <Details d={d} /> },
        { key: "devices", title: "Installed devices", render: () => <Refs label="Devices with this software" query={devices} columns={deviceColumns(id)} rowKey={(r) => r.id} what="device" empty="No device has this software any more" /> },
        { key: "versions", title: "Version distribution", render: () => d && <Versions rows={d.distribution} /> },
        { key: "weaknesses", title: "Discovered vulnerabilities", render: () => <Refs label="Weaknesses of this software" query={vulns} columns={vulnColumns} rowKey={(r) => r.id} what="weakness" many="weaknesses" empty="The loaded intelligence knows no weakness of it" /> },
        { key: "exception", title: "Exception options", render: () => <ExceptionForm about={{ product: id }} versions onDone={() => frame.onView("")} /> },
      ]}
    />
  );
}
