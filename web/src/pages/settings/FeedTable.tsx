import { makeStyles, tokens } from "@fluentui/react-components";
import type { FeedRow } from "../../api/schema";
import { Outside } from "../../app/Anchor";
import { number, plural } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { Day, Moment } from "../../ui/Time";

const useStyles = makeStyles({
  scroll: { overflowX: "auto", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium },
  table: { width: "100%", minWidth: "980px", borderCollapse: "collapse" },
  head: { textAlign: "start", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2, padding: "9px 14px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, whiteSpace: "nowrap", backgroundColor: tokens.colorNeutralBackground2 },
  cell: { padding: "10px 14px", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, verticalAlign: "top", overflowWrap: "anywhere" },
  line: { whiteSpace: "nowrap", overflowWrap: "normal" },
  name: { fontWeight: tokens.fontWeightSemibold },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, overflowWrap: "anywhere" },
  num: { textAlign: "end", fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" },
  skips: { margin: "6px 0 0", paddingLeft: "16px", fontSize: tokens.fontSizeBase200, textAlign: "start", whiteSpace: "normal" },
  summary: { cursor: "pointer" },
});

function Skips({ f }: { f: FeedRow }) {
  const s = useStyles();
  if (f.skipped === 0) return <>0</>;
  return (
    <details>
      <summary className={s.summary}>{number(f.skipped)}</summary>
      <ul className={s.skips}>
        {f.skips.map((k) => (
          <li key={k.reason}>{`${number(k.count)} × ${k.reason}`}<div className={s.quiet}>{k.sample}</div></li>
        ))}
      </ul>
    </details>
  );
}

function Age({ f }: { f: FeedRow }) {
  if (f.demo) return <Chip tone="info">Demo</Chip>;
  if (f.stale) return <Chip tone="warn" title={`The data should not be older than ${plural(f.max_age_days, "day")}.`}>{`Stale: ${plural(f.age_days, "day")}`}</Chip>;
  return <Chip tone="good">{f.age_days === 0 ? "Today" : plural(f.age_days, "day")}</Chip>;
}

/** The feeds: age, records, what was skipped and why, source and licence. */
export function FeedTable({ feeds }: { feeds: readonly FeedRow[] }) {
  const s = useStyles();
  return (
    <div className={s.scroll} tabIndex={0} role="region" aria-label="Feeds">
      <table className={s.table}>
        <thead>
          <tr>
            <th scope="col" className={s.head}>Feed</th>
            <th scope="col" className={s.head}>Age</th>
            <th scope="col" className={s.head}>Data of</th>
            <th scope="col" className={s.head}>Loaded</th>
            <th scope="col" className={`${s.head} ${s.num}`}>Records</th>
            <th scope="col" className={`${s.head} ${s.num}`}>Skipped</th>
            <th scope="col" className={s.head}>Source</th>
            <th scope="col" className={s.head}>Licence</th>
          </tr>
        </thead>
        <tbody>
          {feeds.map((f) => (
            <tr key={f.name}>
              <td className={`${s.cell} ${s.line}`}><div className={s.name}>{f.title || f.name}</div>{f.title && f.title !== f.name && <div className={s.quiet}>{f.name}</div>}</td>
              <td className={`${s.cell} ${s.line}`}><Age f={f} /></td>
              <td className={`${s.cell} ${s.line}`}><Day at={f.data_date} /></td>
              <td className={`${s.cell} ${s.line}`}><Moment at={f.loaded_at} /></td>
              <td className={`${s.cell} ${s.num}`}>{number(f.records)}</td>
              <td className={`${s.cell} ${s.num}`}><Skips f={f} /></td>
              <td className={s.cell}><Outside href={f.source}>{f.source}</Outside></td>
              <td className={s.cell}>{f.licence}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
