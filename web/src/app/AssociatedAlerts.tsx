import { useQuery } from "@tanstack/react-query";
import { alerts } from "../api/alerts";
import { plural } from "../lib/format";
import { Section } from "../ui/Facts";
import { Anchor } from "./Anchor";
import { useMay } from "./useMay";

/** How many active alerts exposed devices have, with the way to them; nothing for who may not read alerts. `of` is what the devices are exposed to. */
export function AssociatedAlerts({ of }: { of: { weakness: string } | { software: string } | { recommendation: string } }) {
  const { may } = useMay("view.security-operations", "alerts.investigate");
  const { data } = useQuery({ ...alerts({ ...of, active: "true", size: "1" }), enabled: may, placeholderData: undefined, retry: false });
  if (!data) return null;
  return (
    <Section title="Associated alerts">
      {data.total === 0 ? "No exposed device has active alerts." : <Anchor to="/alerts" search={{ ...of, active: "true" }}>{`${plural(data.total, "active alert")} on exposed devices`}</Anchor>}
    </Section>
  );
}
