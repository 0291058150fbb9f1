import { makeStyles, tokens } from "@fluentui/react-components";
import type { EventDay } from "../api/schema";
import { Anchor } from "./Anchor";
import { date, plural, time } from "../lib/format";
import { EventIcon } from "../ui/EventKind";
import type { TrendMark } from "../ui/TrendDot";

const useStyles = makeStyles({
  title: { fontWeight: tokens.fontWeightSemibold, marginBottom: "8px" },
  list: { listStyleType: "none", margin: "0 0 10px", padding: 0, display: "flex", flexDirection: "column", gap: "8px" },
  item: { display: "flex", gap: "10px", alignItems: "flex-start", fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200 },
});

function Day({ d, type, page = "/events" }: { d: EventDay; type?: string; page?: string }) {
  const s = useStyles();
  return (
    <>
      <div className={s.title}>{`${date(d.day)} (UTC)`}</div>
      <ul className={s.list}>
        {d.events.map((e) => <li key={e.id} className={s.item}><EventIcon kind={e.kind} /><span>{e.title}</span></li>)}
      </ul>
      <Anchor to={page} search={{ days: "any", from: d.day, to: d.day, ...(type ? { type } : {}) }}>
        {d.total > d.events.length ? `See all ${String(d.total)} events from this day` : "See all events from this day"}
      </Anchor>
    </>
  );
}

/** The dots of a trend: days on which something happened to the devices that are looked at. `page` lists events, those of all software by default. */
export const dots = (days: readonly EventDay[], type?: string, page?: string): TrendMark[] =>
  days.flatMap((d) => {
    const at = time(d.at);
    return at ? [{ at: at.getTime(), label: `${plural(d.total, "event")} on ${date(d.day)}`, content: <Day d={d} type={type} page={page} /> }] : [];
  });
