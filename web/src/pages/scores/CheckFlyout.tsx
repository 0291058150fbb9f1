import { OpenRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { checkDevices, secureCheck } from "../../api/scores";
import type { CheckDeviceRow, SecureCheck, SecureCheckRow } from "../../api/schema";
import { Steps } from "../../app/Advice";
import { Anchor } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { ExportMenu } from "../../app/ExportMenu";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { Refs, type RefColumn } from "../../app/Refs";
import { result, resultNames } from "../../lib/checks";
import { categoryWord, full } from "../../lib/exposure";
import { number, plural, sentence } from "../../lib/format";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Result } from "../../ui/Result";
import { Points } from "./Points";

const columns = (check: string): readonly RefColumn<CheckDeviceRow>[] => [
  { key: "name", title: "Device", width: "30%", render: (d) => <><Anchor to={`/devices/${d.id}/configuration`} search={{ open: check }}>{d.name}</Anchor><div style={{ fontSize: 12, opacity: 0.8 }}>{d.os_name}</div></> },
  { key: "state", title: "Result", width: "20%", render: (d) => <Result state={d.state} mitigated={d.mitigated} /> },
  { key: "reason", title: "Why", render: (d) => (d.reason ? sentence(d.reason) : "–") },
];

/** The devices with one result of a check, each with the reason. */
function Devices({ id, state }: { id: string; state: string }) {
  const query = useCallback((q: Record<string, string>) => checkDevices(id, { ...q, state }), [id, state]);
  return (
    <>
      <ExportMenu path={`/secure-score/checks/${encodeURIComponent(id)}/devices`} query={{ state }} />
      <Refs label={`Devices: ${result(state).word}`} query={query} columns={columns(id)} rowKey={(r) => r.id} what="device" empty="No device has this result" />
    </>
  );
}

function Details({ d }: { d: SecureCheck }) {
  const judged = d.passed + d.mitigated + d.failed + d.not_assessed;
  return (
    <>
      <Section title="What it puts into the secure score">
        <Facts>
          <Fact name="Points">{d.max > 0 ? <span title={`${full(d.got)} of ${number(d.max)}`}>{`${d.got.toFixed(2)} of ${number(d.max)}`}</span> : "It concerns no device"}</Fact>
          <Fact name="Missing"><Points value={d.missing} /></Fact>
          <Fact name="Pass">{plural(d.passed, "device")}</Fact>
          {d.mitigated > 0 && <Fact name="Mitigated">{plural(d.mitigated, "device")}</Fact>}
          <Fact name="Fail">{plural(d.failed, "device")}</Fact>
          <Fact name="Not assessed">{plural(d.not_assessed, "device")}</Fact>
          <Fact name="Not applicable">{plural(d.not_applicable, "device")}</Fact>
          <Fact name="Category">{[categoryWord(d.category), d.subcategory].filter((t) => t !== "").join(" › ")}</Fact>
        </Facts>
        {d.max > 0 && <p>{`${number(d.impact)} · ${number(d.passed + d.mitigated)} / ${number(judged)}: devices that fail, and those that could not be judged, are what is missing.`}</p>}
      </Section>
      <Section title="Description">
        <p>{d.description}</p>
        <Facts>
          <Fact name="Configuration id">{d.check}</Fact>
          <Fact name="Severity of the check">{`${d.impact} of 10`}</Fact>
          <Fact name="What people notice" wide>{d.user_impact}</Fact>
          <Fact name="Benchmarks" wide>{d.references.join(" · ")}</Fact>
        </Facts>
      </Section>
      <Section title="What to do"><Steps steps={d.steps} /></Section>
    </>
  );
}

/** A configuration check over all devices: its points, and who has which result and why. */
export function CheckFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: SecureCheckRow | undefined }) {
  const q = useQuery(secureCheck(id));
  const d = q.data;
  const head = d ?? row;
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head?.name ?? id}
      subtitle={head && <span>{categoryWord(head.category)}</span>}
      actions={head && head.failed > 0 && <ButtonLink to="/recommendations" search={{ open: head.id }} icon={<OpenRegular />}>Recommendation</ButtonLink>}
      tabs={[
        { key: "details", title: "Details", render: () => d && <Details d={d} /> },
        ...resultNames.map((state) => ({ key: state, title: result(state).word, render: () => <Devices id={id} state={state} /> })),
      ]}
    />
  );
}
