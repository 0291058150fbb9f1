import { ClipboardTaskRegular, OpenRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { device as deviceOf, deviceRecommendation, deviceVulns, recommendation } from "../../api/queries";
import { deviceCheck } from "../../api/scores";
import type { DeviceCheckRow, DeviceRecommendationRow, DeviceVulnRow, Recommendation } from "../../api/schema";
import { Steps } from "../../app/Advice";
import { Anchor } from "../../app/Anchor";
import { AssociatedAlerts } from "../../app/AssociatedAlerts";
import { ButtonLink } from "../../app/ButtonLink";
import { CheckEvidence } from "../../app/Evidence";
import { ExceptionButton } from "../../app/ExceptionButton";
import { ExceptionForm } from "../../app/ExceptionForm";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { Refs, type RefColumn } from "../../app/Refs";
import { ReportButton } from "../../app/ReportButton";
import { SupportNotice } from "../../app/SupportNotice";
import { full, isConfiguration, isRelease, remedy } from "../../lib/exposure";
import { number, plural, score } from "../../lib/format";
import { productPath } from "../../lib/product";
import { Tags } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";
import { Impact } from "../../ui/Exposure";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Remedy } from "../../ui/Remedy";
import { Severity } from "../../ui/Severity";
import { SeverityBar } from "../../ui/SeverityBar";
import { State } from "../../ui/State";
import { ThreatList } from "../../ui/Threats";
import { RequestRemediation } from "../../app/RequestRemediation";

const vulnColumns = (device: string): readonly RefColumn<DeviceVulnRow>[] => [
  { key: "id", title: "Name", sort: { key: "id", first: "asc" }, render: (r) => <Anchor to={`/devices/${encodeURIComponent(device)}/vulnerabilities`} search={{ open: r.id }}>{r.id}</Anchor> },
  { key: "severity", title: "Severity", sort: { key: "severity", first: "desc" }, width: "22%", render: (r) => <Severity level={r.severity} /> },
  { key: "cvss", title: "CVSS", sort: { key: "cvss", first: "desc" }, width: "14%", align: "end", render: (r) => score(r.cvss) },
  { key: "state", title: "State, fixed in", sort: { key: "state", first: "asc" }, width: "36%", render: (r) => <><State value={r.state} exposed={r.exposed} />{r.fix_version && <div style={{ fontSize: 12, marginTop: 4 }}>{r.fix_version}</div>}</> },
];

function Details({ device, d, all, check }: { device: string; d: DeviceRecommendationRow; all: Recommendation | undefined; check: DeviceCheckRow | undefined }) {
  const { steps, lines } = all ?? { steps: [], lines: [] };
  const release = all !== undefined && isRelease(all);
  return (
    <>
      {check && <Section title="What was found"><CheckEvidence rows={check.evidence} /></Section>}
      {lines.length > 0 && <SupportNotice lines={lines} product={release ? "" : d.product_id} />}
      <Section title="Description">
        <Facts>
          <Fact name="Remediation type"><Remedy type={d.type} /></Fact>
          <Fact name="Related component">{d.component}</Fact>
          <Fact name={d.type === "Upgrade" ? "Newest version" : "Version that closes all"}>{d.version && <Mono>{d.version}</Mono>}</Fact>
          {!check && <Fact name="Weaknesses"><SeverityBar total={d.weaknesses} counts={d.severity} /></Fact>}
          <Fact name="Impact on the device's score"><Impact value={d.impact} /></Fact>
          <Fact name="Share of the device's score"><span title={full(d.share)}>{d.share.toFixed(2)}</span></Fact>
          <Fact name="Points">{number(d.points)}</Fact>
          <Fact name="Tags">{d.tags.length > 0 && <Tags tags={d.tags} />}</Fact>
        </Facts>
      </Section>
      <Section title="What to do">{steps.length > 0 ? <Steps steps={steps} /> : remedy(d.type).means}</Section>
      {!check && <Section title="Threat insights"><ThreatList facts={d.threats} /></Section>}
      <AssociatedAlerts device={device} of={{ recommendation: d.id }} />
    </>
  );
}

/** A recommendation as one device has it. */
export function DeviceRecommendationFlyout({ device, id, frame, row }: { device: string; id: string; frame: FlyoutFrame; row: DeviceRecommendationRow | undefined }) {
  const own = useQuery(deviceRecommendation(device, id));
  const all = useQuery(recommendation(id));
  const check = useQuery(deviceCheck(device, id));
  const { data: host } = useQuery(deviceOf(device));
  const d = own.data ?? undefined;
  const head = d ?? row;
  const software = head !== undefined && !isConfiguration(head.type) && all.data !== undefined && !isRelease(all.data);
  const vulns = useCallback((p: Record<string, string>) => deviceVulns(device, { ...p, recommendation: id, exposed: "true" }), [device, id]);
  if (frame.view === "request") return <RequestRemediation id={id} frame={frame} row={all.data} />;
  return (
    <Flyout
      frame={frame}
      state={own}
      title={head?.name ?? id}
      subtitle={head && <><span>{head.vendor || head.component}</span>{!isConfiguration(head.type) && <span>{plural(head.weaknesses, "weakness", "weaknesses")}</span>}</>}
      actions={
        head && (
          <>
            {d && all.data && <MayButton rights={["remediate.remediation"]} appearance="primary" icon={<ClipboardTaskRegular />} onClick={() => frame.onView("request")}>Request remediation</MayButton>}
            {software && <ButtonLink to={productPath(head.product_id)} icon={<OpenRegular />}>Open software page</ButtonLink>}
            {software && <ButtonLink to={`/devices/${encodeURIComponent(device)}/software`} search={{ open: head.product_id }} icon={<OpenRegular />}>Software on this device</ButtonLink>}
            <ButtonLink to="/recommendations" search={{ open: id }} icon={<OpenRegular />}>On all devices</ButtonLink>
            {d && <ExceptionButton frame={frame} />}
            <ReportButton kind="recommendation" subject={id} name={head.name} />
          </>
        )
      }
      tabs={[
        { key: "details", title: "Details", render: () => (d ? <Details device={device} d={d} all={all.data} check={check.data ?? undefined} /> : <Empty title="Done on this device">Nothing that this recommendation closes is left here.</Empty>) },
        ...(id.startsWith("sca-") ? [] : [{ key: "weaknesses", title: "Weaknesses", render: () => d && <Refs label="Weaknesses that this closes here" query={vulns} columns={vulnColumns(device)} rowKey={(r) => r.id} what="weakness" empty="No weakness is left" /> }]),
        { key: "exception", title: "Exception options", render: () => <ExceptionForm key={host?.name} about={{ recommendation: id }} device={{ id: device, name: host?.name ?? device }} onDone={() => frame.onView("")} /> },
      ]}
    />
  );
}
