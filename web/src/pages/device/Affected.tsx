import { makeStyles, tokens } from "@fluentui/react-components";
import type { DeviceVuln } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { state } from "../../lib/words";
import { Section } from "../../ui/Facts";
import { State } from "../../ui/State";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  line: { display: "flex", gap: "6px 10px", alignItems: "center", flexWrap: "wrap", marginBottom: "10px" },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  table: { width: "100%", borderCollapse: "collapse" },
  head: { textAlign: "start", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2, padding: "6px 12px 6px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  cell: { padding: "8px 12px 8px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, overflowWrap: "anywhere", verticalAlign: "top" },
});

/** Where a weakness sits on a device, and which version is without it. */
export function Affected({ d, device }: { d: DeviceVuln; device: string }) {
  const s = useStyles();
  return (
    <Section title="On this device">
      <div className={s.line}>
        <State value={d.state} exposed={d.exposed} />
        <span>{state(d.state).means}</span>
        <span className={s.quiet}>First seen <Moment at={d.first_seen} /></span>
      </div>
      <table className={s.table}>
        <thead>
          <tr>
            <th scope="col" className={s.head}>Related software</th>
            <th scope="col" className={s.head}>Installed version</th>
            <th scope="col" className={s.head}>Fixed version</th>
          </tr>
        </thead>
        <tbody>
          {d.software.map((x) => (
            <tr key={`${x.id} ${x.version} ${x.fixed}`}>
              <td className={s.cell}><Anchor to={`/devices/${encodeURIComponent(device)}/software`} search={{ open: x.id }}>{x.name}</Anchor></td>
              <td className={s.cell}>{x.version || "not readable"}</td>
              <td className={s.cell}>{x.fixed || "none"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
