import { useQuery } from "@tanstack/react-query";
import { device } from "../../api/queries";
import { useDeviceId } from "../../app/useDeviceId";
import { AlertList } from "./AlertList";

/** The alerts on a device. */
export function AlertsTab() {
  const { data: d } = useQuery(device(useDeviceId()));
  return d ? <AlertList device={d.id} /> : null;
}
