import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { deviceClosed } from "../../api/queries";
import { Anchor } from "../../app/Anchor";
import { number } from "../../lib/format";
import { closing } from "../../lib/words";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { SeverityIcon } from "../../ui/Severity";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0 },
  row: { display: "flex", alignItems: "center", gap: "10px", padding: "7px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, "&:last-child": { borderBottom: "none" } },
  grow: { flexGrow: 1, minWidth: 0 },
  pair: { display: "flex", gap: "10px", minWidth: 0, "& > a": { flexShrink: 0 } },
  cut: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  empty: { color: tokens.colorNeutralForeground3 },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, whiteSpace: "nowrap" },
});

/** Findings that are gone, with the reason. */
export function ClosedCard({ id }: { id: string }) {
  const s = useStyles();
  const { data } = useQuery(deviceClosed(id, { page: "1", size: "30" }));
  const list = data?.items ?? [];
  return (
    <Card title="Recently closed findings" aside={data && data.total > 0 && <strong>{number(data.total)}</strong>}>
      {data && list.length === 0 && <span className={s.empty}>Nothing was closed yet. Upgrades and removals show here with their reason.</span>}
      <ul className={s.list}>
        {list.slice(0, 8).map((c) => (
          <li key={`${c.id} ${c.software} ${c.version} ${c.closed_at}`} className={s.row}>
            <SeverityIcon level={c.severity} />
            <div className={s.grow}>
              <div className={s.pair}><Anchor to="/weaknesses" search={{ open: c.id, q: c.id, exposed: "any" }}>{c.id}</Anchor><span className={s.cut} title={c.software}>{c.software}</span></div>
              <div className={`${s.quiet} ${s.cut}`} title={c.detail || c.version}>{c.detail || c.version}</div>
            </div>
            <Chip tone="good">{closing(c.reason)}</Chip>
            <span className={s.quiet}><Ago at={c.closed_at} /></span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
