import { makeStyles, tokens } from "@fluentui/react-components";
import type { Alert } from "../../api/schema";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: "14px" },
  item: { paddingLeft: "14px", borderLeft: `2px solid ${tokens.colorNeutralStroke2}` },
  comment: { borderLeftColor: tokens.colorCompoundBrandStroke },
  text: { margin: "0 0 2px", whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

/** What people wrote about the alert and what was changed of it, newest first. */
export function Notes({ d }: { d: Alert }) {
  const s = useStyles();
  if (d.notes.length === 0) return <p className={s.quiet}>Nobody has commented on it or changed it.</p>;
  return (
    <ol className={s.list} aria-label="Comments and history">
      {d.notes.map((n, i) => (
        <li key={`${n.at} ${String(i)}`} className={n.kind === "comment" ? `${s.item} ${s.comment}` : s.item}>
          <p className={s.text}>{n.text}</p>
          <div className={s.quiet}>{n.by} · <Moment at={n.at} /></div>
        </li>
      ))}
    </ol>
  );
}
