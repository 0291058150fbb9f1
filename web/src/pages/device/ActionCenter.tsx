import { Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { machineActions } from "../../api/machineActions";
import type { Device } from "../../api/schema";
import { ActionDetails } from "../../app/ActionDetails";
import { ActionStatus } from "../../app/ActionStatus";
import { Anchor } from "../../app/Anchor";
import { number } from "../../lib/format";
import { kindName } from "../../lib/machineActions";
import { Empty } from "../../ui/Empty";
import { Fold } from "../../ui/Fold";
import { Panel } from "../../ui/Panel";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({ quiet: { color: tokens.colorNeutralForeground3, margin: "12px 0 0", "& a": { textDecorationLine: "underline" } }, aside: { display: "inline-flex", gap: "10px", alignItems: "center", color: tokens.colorNeutralForeground3 } });

const shown = 30;

/** The actions that were submitted for a device, the newest first; it follows what happens. */
export function ActionCenter({ d, onClose }: { d: Device; onClose: () => void }) {
  const s = useStyles();
  const { data, error } = useQuery(machineActions({ device: d.id, page: "1", size: String(shown) }));
  const [unfolded, setUnfolded] = useState<string>(); // undefined: the newest
  const open = unfolded ?? data?.items[0]?.id;
  return (
    <Panel title="Action center" label="Action center" subtitle={d.name} width={560} onClose={onClose}>
      {!data && !error && <Spinner size="small" label="Reading …" />}
      {error && !data && <Empty title="The actions could not be read">{explain(error)}</Empty>}
      {data?.total === 0 && <Empty title="No action was submitted yet">What is done on this device shows here.</Empty>}
      {data?.items.map((a) => (
        <Fold key={a.id} title={kindName(a.kind, a.name)} open={open === a.id} onToggle={() => setUnfolded(open === a.id ? "" : a.id)} aside={<span className={s.aside}><ActionStatus action={a} /><Ago at={a.created_at} /></span>}>
          <ActionDetails a={a} connected={d.connected} />
        </Fold>
      ))}
      {data && data.total > shown && <p className={s.quiet}>{`${number(shown)} of ${number(data.total)}: `}<Anchor to="/actions" search={{ device: d.id, status: "any" }}>see all of them</Anchor></p>}
    </Panel>
  );
}
