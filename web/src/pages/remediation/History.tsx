import { makeStyles, tokens } from "@fluentui/react-components";
import type { Remediation } from "../../api/schema";
import { eventWord } from "../../lib/remediation";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0 },
  item: { position: "relative", padding: "0 0 18px 22px", borderLeft: `2px solid ${tokens.colorNeutralStroke2}`, marginLeft: "5px", "&:last-child": { borderLeftColor: "transparent" } },
  dot: { position: "absolute", left: "-7px", top: "4px", width: "12px", height: "12px", borderRadius: "50%", backgroundColor: tokens.colorCompoundBrandBackground },
  what: { fontWeight: tokens.fontWeightSemibold },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  detail: { overflowWrap: "anywhere", whiteSpace: "pre-wrap" },
});

/** Who did what when, newest first. */
export function History({ d }: { d: Remediation }) {
  const s = useStyles();
  return (
    <ol className={s.list} aria-label="History" reversed>
      {[...d.history].reverse().map((e, i) => (
        <li key={`${e.at} ${String(i)}`} className={s.item}>
          <span className={s.dot} aria-hidden />
          <div><span className={s.what}>{eventWord(e.what)}</span>{` by ${e.who}`}</div>
          {e.detail && <div className={s.detail}>{e.detail}</div>}
          <div className={s.quiet}><Moment at={e.at} /></div>
        </li>
      ))}
    </ol>
  );
}
