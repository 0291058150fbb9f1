import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { alerts } from "../../api/alerts";
import type { Device } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { alertSeverities } from "../../lib/alerts";
import { number } from "../../lib/format";
import { AlertSeverity, RiskLevel } from "../../ui/Alert";
import { Card } from "../../ui/Card";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({
  risk: { display: "flex", alignItems: "center", gap: "10px", paddingBottom: "12px", marginBottom: "4px", borderBottom: `1px solid ${tokens.colorNeutralStroke3}` },
  label: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  list: { listStyleType: "none", margin: 0, padding: 0 },
  row: { display: "flex", alignItems: "center", gap: "10px", padding: "7px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, "&:last-child": { borderBottom: "none" } },
  grow: { flexGrow: 1, minWidth: 0, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  none: { margin: "8px 0 0", color: tokens.colorNeutralForeground2 },
});

const shown = 5;

/** The active alerts on a device, and the risk level that follows from them. */
export function AlertsCard({ d }: { d: Device }) {
  const s = useStyles();
  const { data } = useQuery({ ...alerts({ device: d.id, active: "true", sort: "-severity,-last_event", size: String(shown) }), retry: false });
  const page = `/devices/${encodeURIComponent(d.id)}/alerts`;
  if (!data) return null; // whoever may not read alerts has no card
  return (
    <Card title="Active alerts" foot={data.total > shown && <Anchor to={page} search={{ active: "true" }}>{`Show all ${number(data.total)}`}</Anchor>}>
      <div className={s.risk}><span className={s.label}>Risk level</span><RiskLevel level={d.risk} /></div>
      {data.items.length === 0 && <p className={s.none}>No alert on this device is active.</p>}
      <ul className={s.list}>
        {[...data.items].sort((a, b) => alertSeverities.indexOf(a.severity) - alertSeverities.indexOf(b.severity)).map((a) => (
          <li key={a.id} className={s.row}>
            <span className={s.grow} title={a.title}><Anchor to={page} search={{ open: a.id }}>{a.title}</Anchor></span>
            <AlertSeverity level={a.severity} />
            <span className={s.label}><Ago at={a.last_event} /></span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
