import { useQuery } from "@tanstack/react-query";
import { alerts } from "../api/alerts";
import { plural } from "../lib/format";
import { Section } from "../ui/Facts";
import { Anchor } from "./Anchor";
import { useMay } from "./useMay";

/** How many active alerts exposed devices have, or one device has, with the way to them; nothing for who may not read alerts. `of` is what the devices are exposed to. */
export function AssociatedAlerts({ of, device }: { device?: string; of: { weakness: string } | { software: string } | { recommendation: string } }) {
  const { may } = useMay("view.security-operations", "alerts.investigate");
  const { data } = useQuery({ ...alerts({ ...of, ...(device ? { device } : {}), active: "true", size: "1" }), enabled: may, placeholderData: undefined, retry: false });
  if (!data) return null;
  const n = plural(data.total, "active alert");
  return (
    <Section title="Associated alerts">
      {data.total === 0 ? (device ? "The device has no active alerts." : "No exposed device has active alerts.")
        : device ? <Anchor to={`/devices/${encodeURIComponent(device)}/alerts`} search={{ active: "true" }}>{`${n} on this device`}</Anchor>
          : <Anchor to="/alerts" search={{ ...of, active: "true" }}>{`${n} on exposed devices`}</Anchor>}
    </Section>
  );
}
