import { makeStyles, tokens } from "@fluentui/react-components";
import type { VersionRow } from "../api/schema";
import { number } from "../lib/format";
import { Tags } from "../ui/Chip";
import { Empty } from "../ui/Empty";

const useStyles = makeStyles({
  table: { width: "100%", borderCollapse: "collapse" },
  head: { textAlign: "start", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2, padding: "6px 12px 6px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  cell: { padding: "8px 12px 8px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, overflowWrap: "anywhere", verticalAlign: "middle" },
  num: { textAlign: "end", fontVariantNumeric: "tabular-nums" },
  bar: { height: "8px", minWidth: "2px", borderRadius: "4px", backgroundColor: tokens.colorCompoundBrandBackground },
});

/** How many devices have which version, with a bar for the share. */
export function Versions({ rows }: { rows: readonly VersionRow[] }) {
  const s = useStyles();
  if (rows.length === 0) return <Empty small title="No version is installed" />;
  const most = Math.max(...rows.map((r) => r.installed), 1);
  return (
    <table className={s.table}>
      <thead>
        <tr>
          <th scope="col" className={s.head}>Version</th>
          <th scope="col" className={s.head} style={{ width: "28%" }}>Share</th>
          <th scope="col" className={`${s.head} ${s.num}`}>Devices</th>
          <th scope="col" className={`${s.head} ${s.num}`}>Weaknesses</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((r) => (
          <tr key={r.version}>
            <td className={s.cell}>{r.version || "not readable"} <Tags tags={r.tags} /></td>
            <td className={s.cell}><div className={s.bar} style={{ width: `${(r.installed / most) * 100}%` }} aria-hidden /></td>
            <td className={`${s.cell} ${s.num}`}>{number(r.installed)}</td>
            <td className={`${s.cell} ${s.num}`}>{number(r.weaknesses)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
