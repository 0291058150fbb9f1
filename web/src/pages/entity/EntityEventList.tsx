import { Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { entityEvents } from "../../api/entity";
import { explain } from "../../api/client";
import { Anchor } from "../../app/Anchor";
import type { EntityKind } from "../../lib/entity";
import { Empty } from "../../ui/Empty";
import { PlainTable } from "../../ui/PlainTable";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  box: { overflow: "auto", minHeight: 0, flexGrow: 1, paddingBottom: "16px" },
  wait: { padding: "48px" },
  note: { color: tokens.colorNeutralForeground3, margin: "4px 0 8px" },
});

/** The newest events of an entity, on whichever device. */
export function EntityEventList({ kind, id, days }: { kind: EntityKind; id: string; days: string }) {
  const s = useStyles();
  const { data, error } = useQuery(entityEvents(kind, id, days));
  if (error) return <Empty title="The events could not be read">{explain(error)}</Empty>;
  if (!data) return <Spinner className={s.wait} label="Reading events …" />;
  return (
    <div className={s.box} role="region" aria-label="Newest events" tabIndex={0}>
      <p className={s.note}>{data.items.length < 100 ? "All events of this time, newest first." : "The newest 100 events."}</p>
      <PlainTable
        label="Newest events"
        rows={data.items}
        rowKey={(e) => `${e.device_id} ${e.id}`}
        columns={[
          { key: "time", title: "Event time", width: "17%", render: (e) => <Moment at={e.time} /> },
          { key: "device", title: "Device", width: "17%", render: (e) => <Anchor to={`/devices/${encodeURIComponent(e.device_id)}`}>{e.device_name}</Anchor> },
          { key: "what", title: "What happened", render: (e) => <Anchor to={`/devices/${encodeURIComponent(e.device_id)}/timeline`} search={{ open: e.id }}>{e.title}</Anchor> },
          { key: "user", title: "User", width: "12%", render: (e) => e.user || "–" },
          { key: "action", title: "Action type", width: "16%", render: (e) => e.action },
        ]}
      />
    </div>
  );
}
