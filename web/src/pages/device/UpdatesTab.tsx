import { useCallback } from "react";
import { deviceUpdates } from "../../api/queries";
import { MissingUpdates } from "../../app/MissingUpdates";
import { useDeviceId } from "../../app/useDeviceId";

/** The updates that one device lacks. */
export function UpdatesTab() {
  const id = useDeviceId();
  const query = useCallback((q: Record<string, string>) => deviceUpdates(id, q), [id]);
  return <MissingUpdates device key={id} name="device-updates" query={query} exportPath={`/devices/${encodeURIComponent(id)}/updates`} />;
}
