import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { BroomRegular, DismissRegular, TaskListSquareLtrRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { whatIf } from "../../api/queries";
import type { WhatIf, WhatIfItem } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { emptyBasket, flipBasket, useBasket } from "../../app/basket";
import { ButtonLink } from "../../app/ButtonLink";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { full } from "../../lib/exposure";
import { number, plural } from "../../lib/format";
import { Mono } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";
import { ExposureLevel, Impact, ScoreNumber } from "../../ui/Exposure";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Gauge } from "../../ui/Gauge";
import { LevelBar } from "../../ui/LevelBar";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Remedy } from "../../ui/Remedy";
import { Moment } from "../../ui/Time";

/** Name of the flyout in the URL: no recommendation has it. */
export const whatIfKey = "what-if";

const useStyles = makeStyles({
  top: { display: "flex", gap: "32px", alignItems: "center", flexWrap: "wrap", marginBottom: "24px" },
  big: { fontSize: tokens.fontSizeHero800, lineHeight: tokens.lineHeightHero800, fontWeight: tokens.fontWeightSemibold },
  was: { color: tokens.colorNeutralForeground3 },
  fall: { margin: "6px 0 0", color: tokens.colorNeutralForeground2, maxWidth: "300px", lineHeight: tokens.lineHeightBase300 },
  how: { marginTop: "4px", "& > summary": { cursor: "pointer", color: tokens.colorBrandForegroundLink }, "& > p": { margin: "8px 0 0", lineHeight: tokens.lineHeightBase400, overflowWrap: "anywhere" } },
  gone: { color: tokens.colorNeutralForeground3 },
});

const columns: readonly PlainColumn<WhatIfItem>[] = [
  { key: "name", title: "Recommendation", render: (i) => (i.open ? <Anchor to="/recommendations" search={{ open: i.id }}>{i.name}</Anchor> : <span title={i.id}>{i.name}<br /><small>No device needs it any more</small></span>) },
  { key: "type", title: "Type", width: "24%", render: (i) => (i.type ? <Remedy type={i.type} /> : "–") },
  { key: "devices", title: "Devices", width: "13%", align: "end", render: (i) => number(i.devices) },
  { key: "impact", title: "Alone", width: "13%", align: "end", render: (i) => <Impact value={i.impact} /> },
  { key: "out", title: "Take out", width: "13%", align: "end", render: (i) => <Button size="small" appearance="subtle" icon={<DismissRegular />} aria-label={`Take out ${i.name}`} onClick={() => flipBasket({ id: i.id, name: i.name })} /> },
];

function Restarts({ d }: { d: WhatIf }) {
  const { reboot, programs, unknown } = d.restarts;
  return (
    <>
      <Fact name="Reboot for certain"><span title="A finding of the kernel that runs closes only with another running kernel.">{plural(reboot, "device")}</span></Fact>
      <Fact name="Programs restart for certain"><span title="Programs use old files that are already replaced on disk.">{plural(programs, "device")}</span></Fact>
      <Fact name="Restart not known"><span title="Agents do not say what uses a package before it is updated, or when a setting is taken in.">{plural(unknown, "device")}</span></Fact>
    </>
  );
}

function Body({ d }: { d: WhatIf }) {
  const s = useStyles();
  const more = d.impact - d.separate;
  return (
    <>
      <div className={s.top}>
        <Gauge before={d.before.score} after={d.after.score} label="Exposure score" />
        <div role="status" aria-label={`New exposure score ${full(d.after.score)}`}>
          <div><span className={s.was}><ScoreNumber value={d.before.score} />{" → "}</span><span className={s.big}><ScoreNumber value={d.after.score} /></span></div>
          <ExposureLevel level={d.after.level} />
          <p className={s.fall}>
            The score falls by <strong><Impact value={d.impact} /></strong> together.
            {d.items.length > 1 && <>{" "}Each alone, added up: <Impact value={d.separate} />{more > 0 ? "; on devices with several of them the last one counts most." : "."}</>}
          </p>
        </div>
      </div>
      <Section title="What it does">
        <Facts>
          <Fact name="Findings closed">{number(d.findings)}</Fact>
          <Fact name="Weaknesses"><span title="Distinct weaknesses of these findings; those that no device has afterwards.">{`${number(d.weaknesses)}, ${number(d.cleared)} gone everywhere`}</span></Fact>
          <Fact name="Devices touched">{`${number(d.devices)} of ${number(d.before.devices)}`}</Fact>
          <Restarts d={d} />
        </Facts>
      </Section>
      <Section title="Devices by exposure level"><LevelBar before={d.before.levels} after={d.after.levels} /></Section>
      <Section title="In the basket"><PlainTable label="Recommendations in the basket" columns={columns} rows={d.items} rowKey={(i) => i.id} middle /></Section>
      <details className={s.how}>
        <summary>How this is computed</summary>
        <p>Every device that has one of these is scored again without what they close, and all are weighed as before: an exact fraction, not an estimate.</p>
        <p><Mono>{`${d.before.num} − ${d.after.num} = ${d.impact_num}`}</Mono><br />{`of ${d.impact_den} · 10¹⁵, which is ${full(d.impact)} points`}</p>
      </details>
      <p className={s.gone}>As of <Moment at={d.after.as_of} /></p>
    </>
  );
}

/** The score as it would be with the basket carried out. */
export function WhatIfFlyout({ frame }: { frame: FlyoutFrame }) {
  const basket = useBasket();
  const ids = basket.map((b) => b.id);
  const q = useQuery({ ...whatIf(ids), enabled: ids.length > 0 });
  const empty = ids.length === 0;
  return (
    <Flyout
      frame={frame}
      state={empty ? { data: null, error: null, refetch: () => undefined } : q}
      title="What if"
      subtitle={<span>{`${plural(ids.length, "recommendation")} carried out together`}</span>}
      actions={!empty && (
        <>
          <ButtonLink to="/recommendations/plan" search={{ basket: "1" }} icon={<TaskListSquareLtrRegular />}>Make a plan of it</ButtonLink>
          <Button appearance="subtle" icon={<BroomRegular />} onClick={emptyBasket}>Empty the basket</Button>
        </>
      )}
      tabs={[{ key: "all", title: "What if", render: () => (empty ? <Empty small title="The basket is empty">Tick recommendations in the list: this shows the exact score with all of them carried out.</Empty> : q.data && <Body d={q.data} />) }]}
    />
  );
}
