import { makeStyles, tokens } from "@fluentui/react-components";
import type { Dashboard } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { EventIcon, ScoreStep } from "../../ui/EventKind";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0 },
  item: { display: "flex", gap: "12px", alignItems: "flex-start", padding: "10px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, "&:last-child": { borderBottom: "none" } },
  words: { flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
  when: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

/** The most impactful events of a week. */
export function TopEventsCard({ d }: { d: Dashboard }) {
  const s = useStyles();
  return (
    <Card title="Top events (7 days)" foot={d.top_events.length > 0 && <Anchor to="/events" search={{ days: "7" }}>Show more</Anchor>}>
      {d.top_events.length > 0 ? (
        <ul className={s.list}>
          {d.top_events.map((e) => (
            <li key={e.id} className={s.item}>
              <EventIcon kind={e.kind} />
              <div className={s.words}>
                <Anchor to="/events" search={{ days: "7", open: e.id }}>{e.title}</Anchor>
                <div className={s.when}><Ago at={e.at} /></div>
              </div>
              <ScoreStep step={e.score} />
            </li>
          ))}
        </ul>
      ) : (
        <Empty small title="No event">Nothing changed what devices are exposed to in the last 7 days.</Empty>
      )}
    </Card>
  );
}
