import { makeStyles, tokens } from "@fluentui/react-components";
import type { DeviceVulnRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { score } from "../../lib/format";
import { capital } from "../../lib/words";
import { SeverityIcon } from "../../ui/Severity";
import { State } from "../../ui/State";
import { ThreatIcons } from "../../ui/Threats";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0 },
  row: { display: "flex", alignItems: "center", gap: "12px", padding: "9px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}` },
  grow: { flexGrow: 1, minWidth: 0 },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  num: { fontVariantNumeric: "tabular-nums", minWidth: "32px", textAlign: "end" },
});

/** Findings of one product on one device. */
export function WeakList({ rows, device }: { rows: readonly DeviceVulnRow[]; device: string }) {
  const s = useStyles();
  return (
    <ul className={s.list}>
      {rows.map((w) => (
        <li key={w.id} className={s.row}>
          <SeverityIcon level={w.severity} />
          <div className={s.grow}>
            <Anchor to={`/devices/${encodeURIComponent(device)}/vulnerabilities`} search={{ open: w.id, ...(w.exposed ? {} : { exposed: "any" }) }}>{w.id}</Anchor>
            <div className={s.quiet} title={w.title}>{capital([w.title, w.fix_version && `fixed in ${w.fix_version}`].filter(Boolean).join(", "))}</div>
          </div>
          <ThreatIcons facts={w.threats} bare />
          <State value={w.state} exposed={w.exposed} />
          <span className={s.num}>{score(w.cvss)}</span>
        </li>
      ))}
    </ul>
  );
}
