import { OpenRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { deviceCheck, secureCheck } from "../../api/scores";
import type { DeviceCheckRow } from "../../api/schema";
import { Steps } from "../../app/Advice";
import { ButtonLink } from "../../app/ButtonLink";
import { CheckEvidence } from "../../app/Evidence";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { result } from "../../lib/checks";
import { categoryWord } from "../../lib/exposure";
import { sentence } from "../../lib/format";
import { Empty } from "../../ui/Empty";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Result } from "../../ui/Result";

/** One configuration check on one device: the result, what was found and expected, and how to make it pass. */
export function ConfigurationFlyout({ device, id, frame, row }: { device: string; id: string; frame: FlyoutFrame; row: DeviceCheckRow | undefined }) {
  const own = useQuery(deviceCheck(device, id));
  const all = useQuery(secureCheck(id));
  const d = own.data ?? row;
  const k = all.data;
  const recommended = d?.state === "fail";
  const details = () => {
    if (!d) return <Empty title="There is no such check">It may be of another version of Picket.</Empty>;
    return (
      <>
        <Section title="Result">
          <Facts>
            <Fact name="Result"><Result state={d.state} /></Fact>
            <Fact name="Impact">{`${d.impact} of 10`}</Fact>
            <Fact name="Why" wide>{d.reason ? sentence(d.reason) : result(d.state).means}</Fact>
          </Facts>
        </Section>
        <Section title="What was found">{d.evidence.length > 0 ? <CheckEvidence rows={d.evidence} /> : <Empty small title="No setting was looked at" />}</Section>
        {k && (
          <>
            <Section title="Description">
              <p>{k.description}</p>
              <Facts>
                <Fact name="Configuration id">{k.check}</Fact>
                <Fact name="Category">{[categoryWord(k.category), k.subcategory].filter((t) => t !== "").join(" › ")}</Fact>
                <Fact name="What people notice" wide>{k.user_impact}</Fact>
                <Fact name="Benchmarks" wide>{k.references.join(" · ")}</Fact>
              </Facts>
            </Section>
            <Section title="What to do"><Steps steps={k.steps} /></Section>
          </>
        )}
      </>
    );
  };
  return (
    <Flyout
      frame={frame}
      state={own}
      title={d?.name ?? id}
      subtitle={d && <span>{categoryWord(d.category)}</span>}
      actions={d && (
        <>
          {recommended && <ButtonLink to={`/devices/${encodeURIComponent(device)}/recommendations`} search={{ open: id }} icon={<OpenRegular />}>Recommendation</ButtonLink>}
          <ButtonLink to="/scores" search={{ tab: "checks", open: id }} icon={<OpenRegular />}>On all devices</ButtonLink>
        </>
      )}
      tabs={[{ key: "details", title: "Details", render: details }]}
    />
  );
}
