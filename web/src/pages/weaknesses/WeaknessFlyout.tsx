import { Switch } from "@fluentui/react-components";
import { LightbulbCheckmarkRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useState, type ReactNode } from "react";
import { weakness, weaknessDevices, weaknessSoftware } from "../../api/queries";
import type { WeaknessDevice, WeaknessRow, WeaknessSoftwareRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { AssociatedAlerts } from "../../app/AssociatedAlerts";
import { ButtonLink } from "../../app/ButtonLink";
import { DeviceRef } from "../../app/DeviceRef";
import { ExceptionButton } from "../../app/ExceptionButton";
import { ExceptionForm } from "../../app/ExceptionForm";
import { ExportMenu } from "../../app/ExportMenu";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { Refs, type RefColumn } from "../../app/Refs";
import { ReportButton } from "../../app/ReportButton";
import { WeaknessDetails } from "../../app/WeaknessDetails";
import { date, number, percent, plural, score } from "../../lib/format";
import { productPath } from "../../lib/product";
import { vendor } from "../../lib/words";
import { Chip, Tags } from "../../ui/Chip";
import { Severity } from "../../ui/Severity";
import { State } from "../../ui/State";

const small = { fontSize: 12, marginTop: 4 };
const update = (yes: boolean, to: string): ReactNode => (yes ? <><Chip tone="info">Yes</Chip>{to && <div style={small}>{to}</div>}</> : "No");

const deviceColumns = (id: string): readonly RefColumn<WeaknessDevice>[] => [
  {
    key: "name",
    title: "Device",
    sort: { key: "name", first: "asc" },
    render: (r) => <DeviceRef d={r} tab="vulnerabilities" search={{ open: id, view: "logic", ...(r.exposed ? {} : { exposed: "any" }) }} />,
  },
  { key: "software", title: "Software", width: "27%", render: (r) => r.software.map((x) => <div key={`${x.id} ${x.version}`}>{`${x.name} ${x.version}`}</div>) },
  { key: "state", title: "State", width: "21%", render: (r) => <State value={r.state} exposed={r.exposed} /> },
  { key: "update", title: "Update available", width: "23%", render: (r) => update(r.update, r.fix_version) },
];

const softwareColumns: readonly RefColumn<WeaknessSoftwareRow>[] = [
  { key: "name", title: "Software", sort: { key: "name", first: "asc" }, render: (r) => <Anchor to={productPath(r.id)}>{r.name}</Anchor> },
  { key: "vendor", title: "Vendor", sort: { key: "vendor", first: "asc" }, width: "20%", render: (r) => vendor(r.vendor) },
  { key: "exposed", title: "Exposed devices", sort: { key: "exposed", first: "desc" }, width: "20%", align: "end", render: (r) => `${number(r.exposed)} / ${number(r.installed)}` },
  { key: "update", title: "Update available", sort: { key: "update", first: "desc" }, width: "27%", render: (r) => update(r.update, r.fixed) },
];

/** A list with a switch that keeps only rows with an update. */
function Updatable({ children }: { children: (filter: Record<string, string>) => ReactNode }) {
  const [only, setOnly] = useState(false);
  return (
    <>
      <Switch label="Only with an update available" checked={only} onChange={(_, d) => setOnly(d.checked)} />
      <div key={String(only)}>{children(only ? { update: "true" } : {})}</div>
    </>
  );
}

function Devices({ id, filter }: { id: string; filter: Record<string, string> }) {
  const query = useCallback((p: Record<string, string>) => weaknessDevices(id, { ...p, ...filter }), [id, filter]);
  return <><ExportMenu path={`/weaknesses/${encodeURIComponent(id)}/devices`} query={filter} /><Refs label="Devices with this weakness" query={query} columns={deviceColumns(id)} rowKey={(r) => r.id} what="device" empty={filter.update ? "No device with this weakness has an update" : "No device has this weakness"} /></>;
}

function Products({ id, filter }: { id: string; filter: Record<string, string> }) {
  const query = useCallback((p: Record<string, string>) => weaknessSoftware(id, { ...p, ...filter }), [id, filter]);
  return <Refs label="Software with this weakness" query={query} columns={softwareColumns} rowKey={(r) => r.id} what="product" empty={filter.update ? "No software with this weakness has an update" : "No installed software has this weakness"} />;
}

/** A weakness over all devices. */
export function WeaknessFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: WeaknessRow | undefined }) {
  const q = useQuery(weakness(id));
  const d = q.data;
  const head = d ?? row;
  const rec = d?.recommendations[0];
  const due = d?.weakness.kev?.due;
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
            {head.epss > 0 && <span>{`EPSS ${percent(head.epss)}`}</span>}
            <span>{head.exposed_unknown ? "Exposed devices not available" : plural(head.exposed, "exposed device")}{head.exception && `, ${number(head.exposed_after)} after exceptions`}</span>
            {head.threats.kev && <Chip tone="bad">{due ? `KEV, due ${date(due)}` : "KEV"}</Chip>}
            <Tags tags={head.tags} />
            {head.title && <div style={{ flexBasis: "100%" }}>{head.title}</div>}
          </>
        )
      }
      actions={
        <>
          {rec && <ButtonLink to="/recommendations" search={{ open: rec.id, q: rec.id }} icon={<LightbulbCheckmarkRegular />}>Go to the related security recommendation</ButtonLink>}
          {head && head.exposed > 0 && <ExceptionButton frame={frame} />}
          <ReportButton kind="weakness" subject={id} name={id} />
        </>
      }
      tabs={[
        { key: "details", title: "Vulnerability details", render: () => d && <WeaknessDetails w={d.weakness} threats={d.threats}><AssociatedAlerts of={{ weakness: id }} /></WeaknessDetails> },
        { key: "devices", title: "Exposed devices", render: () => <Updatable>{(filter) => <Devices id={id} filter={filter} />}</Updatable> },
        { key: "software", title: "Related software", render: () => <Updatable>{(filter) => <Products id={id} filter={filter} />}</Updatable> },
        { key: "exception", title: "Exception options", render: () => <ExceptionForm about={{ weakness: id }} onDone={() => frame.onView("")} /> },
      ]}
    />
  );
}
