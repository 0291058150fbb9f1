import { OpenRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { device } from "../../api/queries";
import type { Device, DeviceRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { EolFact } from "../../app/EolFact";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { levelOf } from "../../lib/exposure";
import { number, sentence } from "../../lib/format";
import { countList, severityWord } from "../../lib/words";
import { Chip, Tags } from "../../ui/Chip";
import { Donut } from "../../ui/Donut";
import { ExposureChip, ScoreNumber } from "../../ui/Exposure";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Health } from "../../ui/Health";
import { Severity, severityFill } from "../../ui/Severity";
import { Ago, Moment } from "../../ui/Time";

function Body({ d }: { d: Device }) {
  const page = `/devices/${encodeURIComponent(d.id)}`;
  return (
    <>
      <Section title="Exposure">
        <Donut
          unit="weakness"
          size={132}
          parts={countList(d.severity).map(([level, value]) => ({ key: level, label: severityWord[level], value, fill: severityFill[level], legend: <Severity level={level} /> }))}
        />
      </Section>
      <Section title="At a glance">
        <Facts>
          {d.no_data !== "" && <Fact name="Why there is no data" wide>{sentence(d.no_data)}</Fact>}
          <Fact name="Exposure score">{levelOf(d.exposure) !== "NoData" && <Anchor to={page} search={{ open: "score" }}><ScoreNumber value={d.score} /></Anchor>}</Fact>
          <Fact name="Device value">{d.value}</Fact>
          <Fact name="Fix available"><Anchor to={`${page}/vulnerabilities`} search={{ fix: "available" }}>{number(d.fixable)}</Anchor></Fact>
          <Fact name="Exploitable"><Anchor to={`${page}/vulnerabilities`} search={{ threat: "exploit" }}>{number(d.exploitable)}</Anchor></Fact>
          <Fact name="Known exploited (KEV)">{number(d.kev)}</Fact>
          <Fact name="Software"><Anchor to={`${page}/software`}>{number(d.software)}</Anchor></Fact>
          <Fact name="Pending updates">{`${number(d.updates)}, ${number(d.security_updates)} from a security archive`}</Fact>
          <Fact name="Coverage gaps">{number(d.gaps)}</Fact>
        </Facts>
      </Section>
      <Section title="Device details">
        <Facts>
          <Fact name="Operating system">{d.os_name}</Fact>
                    <Fact name="Architecture">{d.arch}</Fact>
          <Fact name="Kernel">{d.kernel.release}</Fact>
          <Fact name="IP address">{d.ip}</Fact>
          <Fact name="First seen"><Moment at={d.first_seen} /></Fact>
          <Fact name="Last seen"><Ago at={d.last_seen} /></Fact>
          <Fact name="Agent">{d.agent_version}</Fact>
          <Fact name="Device group">{d.group}</Fact>
          <Fact name="Tags">{d.tags.length > 0 && <Tags tags={d.tags} />}</Fact>
          <EolFact wide eol={d.os_support ? [d.os_support] : []} />
          <Fact name="Device id" wide>{d.id}</Fact>
        </Facts>
      </Section>
    </>
  );
}

/** A device in short, beside the list. */
export function DeviceFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: DeviceRow | undefined }) {
  const q = useQuery(device(id));
  const d = q.data ?? row;
  return (
    <Flyout
      frame={frame}
      state={q}
      title={d?.name ?? id.slice(0, 12)}
      subtitle={d && <><ExposureChip level={d.exposure} />{d.isolated && <Chip tone="bad">Isolated</Chip>}<Health value={d.health} connected={d.connected} /></>}
      actions={<ButtonLink to={`/devices/${encodeURIComponent(id)}`} icon={<OpenRegular />}>Open device page</ButtonLink>}
      tabs={[{ key: "summary", title: "Summary", render: () => q.data && <Body d={q.data} /> }]}
    />
  );
}
