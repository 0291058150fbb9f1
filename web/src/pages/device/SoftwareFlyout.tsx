import { OpenRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { deviceSoftwareOne } from "../../api/queries";
import type { DeviceSoftware, DeviceSoftwareRow } from "../../api/schema";
import { AssociatedAlerts } from "../../app/AssociatedAlerts";
import { ButtonLink } from "../../app/ButtonLink";
import { EolFact } from "../../app/EolFact";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { number } from "../../lib/format";
import { productPath } from "../../lib/product";
import { vendor } from "../../lib/words";
import { Chip, Tags } from "../../ui/Chip";
import { CopyButton, Mono } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";
import { Fact, Facts, Section } from "../../ui/Facts";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatList } from "../../ui/Threats";
import { Moment } from "../../ui/Time";
import { PackageList } from "./PackageList";
import { WeakList } from "./WeakList";

function Details({ d, device }: { d: DeviceSoftware; device: string }) {
  return (
    <>
      <Section title="Software details">
        <Facts>
          <Fact name="Vendor">{vendor(d.vendor)}</Fact>
          <Fact name="Installed version">{d.version || "not readable"}</Fact>
          <Fact name="Ecosystem">{d.ecosystem}</Fact>
          <Fact name="Weaknesses">{(d.weaknesses > 0 || !d.not_assessed) && <SeverityBar total={d.weaknesses} counts={d.severity} />}</Fact>
          <Fact name="Not assessed" wide>{d.not_assessed}</Fact>
          <Fact name="Update candidate">{d.update && <>{d.update} {d.update_security && <Chip tone="info">Security archive</Chip>}</>}</Fact>
          <Fact name="Tags">{d.tags.length > 0 && <Tags tags={d.tags} />}</Fact>
          <EolFact eol={d.eol ? [d.eol] : []} wide />
          <Fact name="First found"><Moment at={d.first_found} /></Fact>
          <Fact name="Last found"><Moment at={d.last_found} /></Fact>
          <Fact name="Product code" wide>{d.product_code && <><Mono>{d.product_code}</Mono> <CopyButton text={d.product_code} what="product code" /></>}</Fact>
        </Facts>
      </Section>
      <Section title="Threat insights">
        <ThreatList facts={d.threats} />
      </Section>
      {d.weaknesses > 0 && <AssociatedAlerts device={device} of={{ software: d.id }} />}
      <Section title="Software evidence">
        <PackageList packages={d.packages} />
      </Section>
    </>
  );
}

/** A product on one device: details, packages with their paths, weaknesses. */
export function SoftwareFlyout({ device, product, frame, row }: { device: string; product: string; frame: FlyoutFrame; row: DeviceSoftwareRow | undefined }) {
  const q = useQuery(deviceSoftwareOne(device, product));
  const d = q.data;
  const head = d ?? row;
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head ? head.name : product}
      subtitle={head && <><span>{vendor(head.vendor)}</span><span>{head.version}</span></>}
      actions={<ButtonLink to={productPath(product)} icon={<OpenRegular />}>Open software page</ButtonLink>}
      tabs={[
        { key: "details", title: "Details", render: () => d && <Details d={d} device={device} /> },
        {
          key: "weaknesses",
          title: d ? `Weaknesses (${number(d.weak.length)})` : "Weaknesses",
          render: () => d && (d.weak.length > 0 ? <WeakList rows={d.weak} device={device} /> : <Empty small title="No finding">{d.not_assessed ? `Not assessed: ${d.not_assessed}.` : "The loaded intelligence knows no weakness of this version."}</Empty>),
        },
      ]}
    />
  );
}
