import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { alertSummary } from "../../api/alerts";
import { firstPage, recommendations, weaknesses } from "../../api/queries";
import { Anchor } from "../../app/Anchor";
import { alertSeverities } from "../../lib/alerts";
import { number, plural } from "../../lib/format";
import { AlertSeverity } from "../../ui/Alert";
import { Card } from "../../ui/Card";

const useStyles = makeStyles({
  counts: { display: "flex", flexWrap: "wrap", gap: "8px 20px", paddingBottom: "12px", marginBottom: "4px", borderBottom: `1px solid ${tokens.colorNeutralStroke3}` },
  list: { listStyleType: "none", margin: 0, padding: 0 },
  row: { display: "flex", alignItems: "center", gap: "10px", padding: "7px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, "&:last-child": { borderBottom: "none" } },
  grow: { flexGrow: 1, minWidth: 0, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  quiet: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  none: { margin: 0, color: tokens.colorNeutralForeground2 },
});

/** Active alerts, and what the devices that have them are exposed to. */
export function AlertsCard() {
  const s = useStyles();
  const { data: d } = useQuery(alertSummary);
  const { data: weak } = useQuery({ ...weaknesses({ threat: "alert", exposed: "true", ...firstPage }), retry: false });
  const { data: todo } = useQuery({ ...recommendations({ threat: "alert", ...firstPage }), retry: false });
  if (!d) return null; // whoever may not read alerts has no card
  return (
    <Card title="Related threat alerts" foot={<Anchor to="/alerts" search={{ active: "true" }}>Show more</Anchor>}>
      {d.active === 0 ? (
        <p className={s.none}>No alert is active.</p>
      ) : (
        <>
          <div className={s.counts}>
            {alertSeverities.filter((v) => (d.severities[v] ?? 0) > 0).map((v) => (
              <Anchor key={v} to="/alerts" search={{ active: "true", severity: v }}>{`${number(d.severities[v] ?? 0)} `}<AlertSeverity level={v} /></Anchor>
            ))}
            <span className={s.quiet}>{`on ${plural(d.devices, "device")}`}</span>
          </div>
          <ul className={s.list}>
            {d.top.map((a) => (
              <li key={a.id} className={s.row}>
                <span className={s.grow} title={a.title}><Anchor to="/alerts" search={{ open: a.id }}>{a.title}</Anchor></span>
                <span className={s.quiet}>{a.device_name}</span>
                <AlertSeverity level={a.severity} />
              </li>
            ))}
          </ul>
          <p className={s.quiet}>
            Associated threats: {weak && <Anchor to="/weaknesses" search={{ threat: "alert", exposed: "true" }}>{plural(weak.total, "weakness", "weaknesses")}</Anchor>}
            {weak && todo && " and "}
            {todo && <Anchor to="/recommendations" search={{ threat: "alert" }}>{plural(todo.total, "recommendation")}</Anchor>} on these devices.
          </p>
        </>
      )}
    </Card>
  );
}
