import { makeStyles } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { alertSummary } from "../../api/alerts";
import { Anchor } from "../../app/Anchor";
import { PageHead } from "../../app/PageHead";
import { number, plural } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { AlertList } from "./AlertList";

const useStyles = makeStyles({ pills: { display: "flex", gap: "8px", flexWrap: "wrap", marginTop: "12px" } });

/** How many alerts are active, and of what is asked about most; each leads to its list. */
function Pills() {
  const s = useStyles();
  const { data: d } = useQuery(alertSummary);
  if (!d) return null;
  const pill = (search: Record<string, string>, tone: "bad" | "warn" | "quiet", text: string) => <Anchor to="/alerts" search={search}><Chip tone={tone}>{text}</Chip></Anchor>;
  return (
    <div className={s.pills}>
      {pill({ active: "true" }, "quiet", plural(d.active, "active alert"))}
      {pill({ active: "true", severity: "High" }, (d.severities.High ?? 0) > 0 ? "bad" : "quiet", `${number(d.severities.High ?? 0)} of high severity`)}
      {pill({ active: "true", assigned: "-" }, d.unassigned > 0 ? "warn" : "quiet", `${number(d.unassigned)} assigned to nobody`)}
      <Chip tone="quiet">{`on ${plural(d.devices, "device")}`}</Chip>
    </div>
  );
}

/** The queue of alerts. */
export function AlertsPage() {
  return (
    <PageHead title="Alerts" text="What should be looked at, on which device, and who does: each alert rests on events of a device's timeline.">
      <Pills />
      <AlertList />
    </PageHead>
  );
}
