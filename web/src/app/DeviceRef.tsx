import { plural } from "../lib/format";
import { Anchor } from "./Anchor";

interface Device {
  id: string;
  name: string;
  os_name: string;
  /** Active ones. */
  alerts: number;
}

/** A device in a short list: the way to a tab of its page, its system, and its active alerts where it has some. */
export function DeviceRef({ d, tab, search }: { d: Device; tab: string; search: Record<string, string> }) {
  const page = `/devices/${encodeURIComponent(d.id)}`;
  return (
    <>
      {d.id === "" ? d.name : <Anchor to={`${page}/${tab}`} search={search}>{d.name || d.id.slice(0, 12)}</Anchor>}
      <div style={{ fontSize: 12, opacity: 0.8 }}>{d.os_name}</div>
      {d.alerts > 0 && <div style={{ fontSize: 12 }}><Anchor to={`${page}/alerts`} search={{ active: "true" }}>{plural(d.alerts, "active alert")}</Anchor></div>}
    </>
  );
}
