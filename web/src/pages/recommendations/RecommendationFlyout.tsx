import { Checkbox, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { ClipboardTaskRegular, OpenRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { explain } from "../../api/client";
import { recommendation, recommendationDevices, recommendationVulns, software } from "../../api/queries";
import type { DeviceRow, Recommendation, RecommendationRow, WeaknessRow } from "../../api/schema";
import { Fixes, Steps } from "../../app/Advice";
import { Anchor } from "../../app/Anchor";
import { AssociatedAlerts } from "../../app/AssociatedAlerts";
import { ButtonLink } from "../../app/ButtonLink";
import { DeviceRef } from "../../app/DeviceRef";
import { EolFact } from "../../app/EolFact";
import { ExceptionButton } from "../../app/ExceptionButton";
import { ExceptionForm } from "../../app/ExceptionForm";
import { ExceptionMark } from "../../app/ExceptionMark";
import { ExportMenu } from "../../app/ExportMenu";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { Refs, type RefColumn } from "../../app/Refs";
import { ReportButton } from "../../app/ReportButton";
import { SupportNotice } from "../../app/SupportNotice";
import { Versions } from "../../app/Versions";
import { categoryWord, full, isConfiguration, isRelease } from "../../lib/exposure";
import { number, plural, score } from "../../lib/format";
import { productPath } from "../../lib/product";
import { vendor } from "../../lib/vendor";
import { Tags } from "../../ui/Chip";
import { CopyButton, Mono } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";
import { ExposureLevel, Impact, ScoreNumber } from "../../ui/Exposure";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Remedy } from "../../ui/Remedy";
import { Severity } from "../../ui/Severity";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatIcons, ThreatList } from "../../ui/Threats";
import { RequestRemediation } from "../../app/RequestRemediation";

const useStyles = makeStyles({
  text: { margin: "0 0 16px", lineHeight: tokens.lineHeightBase400, overflowWrap: "anywhere" },
  how: { marginTop: "16px", "& > summary": { cursor: "pointer", color: tokens.colorBrandForegroundLink }, "& > p": { margin: "8px 0 0", lineHeight: tokens.lineHeightBase400, overflowWrap: "anywhere" } },
});

const noticeWords: Record<string, string> = { none: "None", expected: "Expected", not_assessed: "Not assessed" };

const deviceColumns = (r: string): readonly RefColumn<DeviceRow>[] => [
  { key: "name", title: "Device", sort: { key: "name", first: "asc" }, render: (d) => <DeviceRef d={d} tab="recommendations" search={{ open: r }} /> },
  ...(r.startsWith("sca-") ? [{ key: "impact", title: "User impact", width: "20%", render: (d: DeviceRow) => <span title={d.user_impact_reason}>{noticeWords[d.user_impact ?? ""]}</span> }] : []),
  { key: "exposure", title: "Exposure level", width: "20%", render: (d) => <ExposureLevel level={d.exposure} reason={d.no_data} /> },
  { key: "score", title: "Score", sort: { key: "score", first: "desc" }, width: "14%", align: "end", render: (d) => <ScoreNumber value={d.score} /> },
  { key: "value", title: "Value", sort: { key: "value", first: "desc" }, width: "16%", align: "end", render: (d) => d.value },
];

const vulnColumns: readonly RefColumn<WeaknessRow>[] = [
  { key: "id", title: "Name", sort: { key: "id", first: "asc" }, render: (r) => <Anchor to="/weaknesses" search={{ open: r.id, q: r.id, exposed: "any" }}>{r.id}</Anchor> },
  { key: "severity", title: "Severity", sort: { key: "severity", first: "desc" }, width: "22%", render: (r) => <Severity level={r.severity} /> },
  { key: "cvss", title: "CVSS", sort: { key: "cvss", first: "desc" }, width: "12%", align: "end", render: (r) => score(r.cvss) },
  { key: "threats", title: "Threats", sort: { key: "threats", first: "desc" }, width: "24%", render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "exposed", title: "Exposed", sort: { key: "exposed", first: "desc" }, width: "14%", align: "end", render: (r) => number(r.exposed) },
];

function Details({ d }: { d: Recommendation }) {
  const s = useStyles();
  return (
    <>
      {d.lines.length > 0 && <SupportNotice lines={d.lines} product={isRelease(d) ? "" : d.product_id} />}
      <Section title="Description">
        <p className={s.text}>{d.description}</p>
        <Facts>
          <Fact name="Remediation type"><Remedy type={d.type} /></Fact>
          <Fact name="Status"><ExceptionMark status={d.status} /></Fact>
          <Fact name="Remediation">{d.remediation_activities > 0 && <Anchor to="/remediation" search={{ recommendation: d.id, status: "Active" }}>{plural(d.remediation_activities, "activity", "activities")}</Anchor>}</Fact>
          <Fact name="Exposed devices">{`${number(d.exposed)} of ${number(d.installed)}`}</Fact>
          <Fact name="OS platform">{d.os_platforms.join(", ")}</Fact>
          {d.status !== "Active" && <Fact name="Exposed after exceptions">{number(d.exposed_after)}</Fact>}
          {isConfiguration(d.type) ? (
            <>
              <Fact name="Configuration id">{d.id.replace("sca-_-", "")}</Fact>
              <Fact name="Category">{[categoryWord(d.category), d.subcategory].filter((t) => t !== "").join(" › ")}</Fact>
              <Fact name="Severity of the check">{`${d.check_impact} of 10`}</Fact>
              <Fact name="Not assessed">{d.not_assessed > 0 ? <Anchor to="/scores" search={{ tab: "checks", open: d.id, view: "not_assessed" }}>{plural(d.not_assessed, "device")}</Anchor> : "0 devices"}</Fact>
              <Fact name="What people notice" wide>{d.user_impact}</Fact>
              <Fact name="Benchmarks" wide>{d.references.join(" · ")}</Fact>
            </>
          ) : (
            <Fact name="Weaknesses"><SeverityBar total={d.weaknesses} counts={d.severity} /></Fact>
          )}
          <Fact name="Vendor">{vendor(d.vendor)}</Fact>
          <Fact name="Ecosystem">{d.ecosystem}</Fact>
          <EolFact name="Supported" eol={d.type === "Upgrade" ? d.supported : []} wide />
          <Fact name="Product code" wide>{d.product_code && <><Mono>{d.product_code}</Mono> <CopyButton text={d.product_code} what="product code" /></>}</Fact>
        </Facts>
      </Section>
      <Section title="What to do"><Steps steps={d.steps} /></Section>
      {d.fixes.length > 0 && <Section title="Fixes"><Fixes rows={d.fixes} /></Section>}
      <Section title="Impact">
        {d.secure_gain > 0 && <div>The secure score rises by <strong title={`${full(d.secure_gain)} points`}>{d.secure_gain.toFixed(2)}</strong> points.</div>}
        <div>The exposure score falls by <strong><Impact value={d.impact} /></strong> when this is done on {plural(d.exposed, "device")}.</div>
        {d.status !== "Active" && <div>After exceptions <strong><Impact value={d.impact_after} /></strong> of it is left to gain, on {plural(d.exposed_after, "device")}.</div>}
        <details className={s.how}>
          <summary>How this is computed</summary>
          <p>It is the score as it is minus the score computed again without the findings that this closes, on every device: an exact fraction, not an estimate.</p>
          <p><Mono>{`${d.impact_num} / (${d.impact_den} · 10¹⁵)`}</Mono><br />{`= ${full(d.impact)} points`}</p>
          <p>Impacts do not add up to the score, because a device&apos;s score is a curve: the last finding that is closed lowers it most.</p>
        </details>
      </Section>
      {!isConfiguration(d.type) && <Section title="Threat insights"><ThreatList facts={d.threats} /></Section>}
      <AssociatedAlerts of={{ recommendation: d.id }} />
    </>
  );
}

/** How many devices have which version of the product. */
function Distribution({ product }: { product: string }) {
  const { data, error } = useQuery(software(product));
  if (error && !data) return <Empty small title="This could not be read">{explain(error)}</Empty>;
  return data ? <Versions rows={data.distribution} /> : <Spinner size="small" label="Reading …" />;
}

/** A recommendation over all devices. */
export function RecommendationFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: RecommendationRow | undefined }) {
  const q = useQuery(recommendation(id));
  const d = q.data;
  const head = d ?? row;
  const [unnoticed, setUnnoticed] = useState(false);
  const devices = useCallback((p: Record<string, string>) => recommendationDevices(id, unnoticed ? { ...p, user_impact: "none" } : p), [id, unnoticed]);
  const vulns = useCallback((p: Record<string, string>) => recommendationVulns(id, p), [id]);
  if (frame.view === "request") return <RequestRemediation id={id} frame={frame} row={head} />;
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head?.name ?? id}
      subtitle={head && <><span>{vendor(head.vendor) || head.component}</span>{!isConfiguration(head.type) && <span>{plural(head.weaknesses, "weakness", "weaknesses")}</span>}<span>{plural(head.exposed, "exposed device")}</span><Tags tags={head.tags} /></>}
      actions={head && (
        <>
          {d && <MayButton rights={["remediate.remediation"]} appearance="primary" icon={<ClipboardTaskRegular />} onClick={() => frame.onView("request")}>Request remediation</MayButton>}
          {!isConfiguration(head.type) && !isRelease(head) && <ButtonLink to={productPath(head.product_id)} icon={<OpenRegular />}>Open software page</ButtonLink>}
          <ExceptionButton frame={frame} />
          <ReportButton kind="recommendation" subject={head.id} name={head.name} />
        </>
      )}
      tabs={[
        { key: "details", title: "Details", render: () => d && <Details d={d} /> },
        { key: "devices", title: "Exposed devices", render: () => (
          <>
            <ExportMenu path={`/recommendations/${encodeURIComponent(id)}/devices`} query={unnoticed ? { user_impact: "none" } : {}} />
            {id.startsWith("sca-") && <Checkbox label="Only devices without user impact" checked={unnoticed} onChange={() => setUnnoticed(!unnoticed)} />}
            <Refs key={String(unnoticed)} label="Devices that need this" query={devices} columns={deviceColumns(id)} rowKey={(r) => r.id} what="device" empty={unnoticed ? "No device is known to be without user impact" : "No device needs this any more"} />
          </>
        ) },
        ...(id.startsWith("sca-") ? [] : [{ key: "weaknesses", title: "Weaknesses", render: () => <Refs label="Weaknesses that this closes" query={vulns} columns={vulnColumns} rowKey={(r) => r.id} what="weakness" empty="No weakness is left" /> }]),
        ...(d && !isConfiguration(d.type) && !isRelease(d) ? [{ key: "versions", title: "Version distribution", render: () => <Distribution product={d.product_id} /> }] : []),
        { key: "exception", title: "Exception options", render: () => <ExceptionForm about={{ recommendation: id }} onDone={() => frame.onView("")} /> },
      ]}
    />
  );
}
