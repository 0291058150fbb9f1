import { makeStyles } from "@fluentui/react-components";
import { AlertRegular, FlagFilled, FlagRegular, SearchRegular, TimelineRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useState } from "react";
import type { TimelineEvent, TimelineRow } from "../../api/schema";
import { timelineEvent } from "../../api/timeline";
import { Anchor } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { entityOf, entityOfNode, entityPath, type EntityRef } from "../../lib/entity";
import { moment, time } from "../../lib/format";
import { aroundQuery } from "../../lib/kql";
import type { RawSearch } from "../../lib/search";
import { iso } from "../../lib/timeline";
import { AlertSeverity } from "../../ui/Alert";
import { Chip } from "../../ui/Chip";
import { CopyButton } from "../../ui/Copy";
import { Fact, Facts, Section } from "../../ui/Facts";
import { EntityGraph } from "./EntityGraph";
import { flagRights } from "./columns";

const RaisePanel = lazy(() => import("../alerts/RaisePanel").then((m) => ({ default: m.RaisePanel })));

const useStyles = makeStyles({
  value: { display: "flex", alignItems: "flex-start", gap: "4px" },
  text: { minWidth: 0, overflowWrap: "anywhere", whiteSpace: "pre-wrap" },
  note: { margin: "8px 0 0" },
});

const stamp = /^\d{4}-\d\d-\d\dT/;

/** A value as people read it, with a button that copies it as it is; a link when it names something that is looked up across devices. */
function Value({ name, value, of }: { name: string; value: unknown; of?: EntityRef }) {
  const s = useStyles();
  const raw = typeof value === "string" ? value : JSON.stringify(value);
  const at = typeof value === "string" && stamp.test(value) ? time(value) : null;
  return (
    <span className={s.value}>
      <span className={s.text}>{of ? <Anchor to={entityPath(of)} title="On all devices">{raw}</Anchor> : at ? moment(at) : raw}</span>
      <CopyButton text={raw} what={name} />
    </span>
  );
}

function Around({ e }: { e: TimelineEvent }) {
  const s = useStyles();
  const focus = e.nodes.find((n) => n.focus)?.id ?? e.nodes[0]?.id ?? "";
  const [chosen, setChosen] = useState(focus);
  const node = e.nodes.find((n) => n.id === chosen);
  const entity = node && entityOfNode(node.kind, node.name);
  if (e.nodes.length === 0) return null;
  return (
    <Section title="Event entities graph">
      <EntityGraph e={e} chosen={chosen} onChoose={setChosen} />
      {e.cut && <p className={s.note}>There are more children or touched things than are drawn: the timeline has them all.</p>}
      {node && (
        <div style={{ marginTop: 16 }}>
          <Facts>
            <Fact name={node.kind === "process" ? "Process" : "Entity"}>{entity ? <Anchor to={entityPath(entity)} title="On all devices">{node.name}</Anchor> : node.name}</Fact>
            {node.facts.map((f) => <Fact key={f.name} name={f.name} wide={f.value.length > 30}><Value name={f.name} value={f.value} of={entityOf(f.name, f.value)} /></Fact>)}
          </Facts>
        </div>
      )}
    </Section>
  );
}

/** One event: what happened, who did it and what else belongs to it. */
export function TimelineFlyout({ device, event, row, frame, onFlag }: { device: string; event: string; row: TimelineRow | undefined; frame: FlyoutFrame; onFlag: (row: TimelineRow) => void }) {
  const q = useQuery(timelineEvent(device, event));
  const [raising, setRaising] = useState(false);
  const e = q.data;
  const head = e ?? row;
  const at = time(head?.time);
  const around: RawSearch = at ? { days: "any", since: iso(Math.floor(at.getTime() / 1000) * 1000 - 300_000), until: iso(Math.ceil(at.getTime() / 1000) * 1000 + 300_000) } : {};
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head?.title ?? "Event"}
      subtitle={head && <><Chip tone="info">{head.group}</Chip><span>{at ? `${moment(at)}.${String(at.getMilliseconds()).padStart(3, "0")}` : ""}</span>{head.user && <span>{head.user}</span>}</>}
      actions={
        head && (
          <>
            <MayButton rights={flagRights} appearance="subtle" icon={head.flagged ? <FlagFilled /> : <FlagRegular />} onClick={() => onFlag(head)}>{head.flagged ? "Remove flag" : "Flag"}</MayButton>
            <MayButton rights={["alerts.investigate"]} appearance="subtle" icon={<AlertRegular />} onClick={() => setRaising(true)}>Create alert</MayButton>
            {raising && <Suspense><RaisePanel device={device} event={head} onClose={() => setRaising(false)} /></Suspense>}
            <ButtonLink to={`/devices/${encodeURIComponent(device)}/timeline`} search={around} icon={<TimelineRegular />}>Related events</ButtonLink>
            <ButtonLink to="/hunting" search={{ query: aroundQuery(device, head.table, head.time, head.fields) }} icon={<SearchRegular />}>Hunt for related events</ButtonLink>
          </>
        )
      }
      tabs={[
        {
          key: "details", title: "Details",
          render: () => e && (
            <>
              <Around e={e} />
              <Section title="Event">
                <Facts>
                  <Fact name="Action type"><Value name="action type" value={e.action} /></Fact>
                  <Fact name="Table">{e.table}</Fact>
                  <Fact name="Number of its kind">{`${e.kind} ${e.seq}`}</Fact>
                  {e.info.map((i) => <Fact key={i} name="Information" wide>{i}</Fact>)}
                </Facts>
              </Section>
              {e.techniques.length > 0 && (
                <Section title="ATT&CK techniques">
                  <Facts stack>
                    {e.techniques.map((t) => <Fact key={t.id} name={`${t.id} ${t.name} (${t.tactics.join(", ")})`} wide>{t.reason}</Fact>)}
                  </Facts>
                </Section>
              )}
              {e.alerts.length > 0 && (
                <Section title="Alerts">
                  {e.alerts.map((a) => <div key={a.id}><Anchor to="/alerts" search={{ open: a.id }}>{a.title}</Anchor> <AlertSeverity level={a.severity} /></div>)}
                </Section>
              )}
              <Section title="Times">
                <Facts>
                  <Fact name="Event time"><Value name="event time" value={e.time} /></Fact>
                  <Fact name="Host's clock"><Value name="host's clock" value={e.host_time} /></Fact>
                  <Fact name="Received by the server"><Value name="time of receipt" value={e.received} /></Fact>
                </Facts>
              </Section>
            </>
          ),
        },
        {
          key: "columns", title: "All columns",
          render: () => e && <Facts stack>{Object.entries(e.fields).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => <Fact key={k} name={k} wide><Value name={k} value={v} of={entityOf(k, v)} /></Fact>)}</Facts>,
        },
      ]}
    />
  );
}
