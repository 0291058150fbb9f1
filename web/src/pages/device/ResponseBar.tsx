import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { ArchiveRegular, HistoryRegular, PlugDisconnectedRegular, PlugConnectedRegular, SearchInfoRegular, ShieldTaskRegular, TagMultipleRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { deviceActions, machineActions } from "../../api/machineActions";
import { status } from "../../api/queries";
import type { Device, DeviceAction } from "../../api/schema";
import { ActionPanel } from "../../app/ActionPanel";
import { without } from "../../app/Anchor";
import { ManageTags } from "../../app/ManageTags";
import { MayButton } from "../../app/MayButton";
import { kindName, kinds, type Kind } from "../../lib/machineActions";
import type { RawSearch } from "../../lib/search";
import { ActionCenter } from "./ActionCenter";
import { CheckIn } from "./CheckIn";

const useStyles = makeStyles({
  bar: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "2px", margin: "0 0 0 -8px", "& > button": { minWidth: 0, paddingLeft: "8px", paddingRight: "8px", fontWeight: tokens.fontWeightRegular } },
  rule: { width: "1px", height: "20px", margin: "0 4px", backgroundColor: tokens.colorNeutralStroke2 },
});

const icons: Record<Kind, ReactElement> = { isolate: <PlugDisconnectedRegular />, release: <PlugConnectedRegular />, scan: <ShieldTaskRegular />, collect: <ArchiveRegular />, investigate: <SearchInfoRegular /> };

/** Why an action cannot be asked for now, "" when it can. */
function reason(a: DeviceAction, locked: boolean): string {
  if (locked) return "Lockdown: nothing can be done on devices.";
  if (a.active && a.id !== "investigate") return "This is going on already: see the Action center.";
  return a.can ? "" : (a.why_not ?? "This cannot be done on the device.");
}

/** What can be done on a device from afar, and what was. */
export function ResponseBar({ d }: { d: Device }) {
  const s = useStyles();
  const navigate = useNavigate();
  const raw: RawSearch = useSearch({ strict: false });
  const { data: st } = useQuery(status);
  const { data } = useQuery(deviceActions(d.id));
  const [asking, setAsking] = useState<Kind | "tags" | "">("");
  const { data: had } = useQuery(machineActions({ device: d.id, page: "1", size: "30" }));
  const own = d.sbom === null && d.source !== "osquery";
  // Isolate and release are one button, as the device stands.
  const offered = (data ?? []).filter((a) => a.id !== (d.isolated ? "isolate" : "release") && kinds.includes(a.id as Kind));
  const center = (on: boolean) => void navigate({ to: ".", search: (now: RawSearch) => (on ? { ...without(now, "open"), center: "true" } : without(now, "center")) });
  const close = () => setAsking("");
  return (
    <>
      <div className={s.bar} role="toolbar" aria-label="Response actions">
        <MayButton rights={["alerts.investigate", "settings.security"]} appearance="subtle" icon={<TagMultipleRegular />} onClick={() => setAsking("tags")}>Manage tags</MayButton>
        {own && offered.map((a) => {
          const why = reason(a, st?.lockdown !== undefined);
          const kind = a.id as Kind;
          return <Button key={kind} appearance="subtle" icon={icons[kind]} disabledFocusable={why !== ""} title={why || undefined} onClick={() => setAsking(kind)}>{kindName(kind)}</Button>;
        })}
        <CheckIn d={d} />
        {had !== undefined && had.total > 0 && <><span className={s.rule} aria-hidden /><Button appearance="subtle" icon={<HistoryRegular />} aria-expanded={raw.center !== undefined} onClick={() => center(raw.center === undefined)}>Action center</Button></>}
      </div>
      {asking === "tags" && <ManageTags ids={[d.id]} rows={[d]} onClose={close} onDone={close} />}
      {asking !== "" && asking !== "tags" && <ActionPanel key={asking} kind={asking} devices={[d]} approval={offered.find((a) => a.id === asking)?.approval ?? false} onClose={close} onDone={() => { close(); center(true); }} />}
      {raw.center !== undefined && <ActionCenter d={d} onClose={() => center(false)} />}
    </>
  );
}
