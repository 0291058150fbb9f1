import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { eventCounts } from "../../api/queries";
import { PageHead } from "../../app/PageHead";
import { useList } from "../../app/useList";
import { number } from "../../lib/format";
import { apiQuery } from "../../lib/search";
import { EventList, eventSpec } from "./EventList";

const useStyles = makeStyles({
  numbers: { display: "flex", flexWrap: "wrap", gap: "12px 48px", margin: "12px 0 4px", padding: 0, listStyleType: "none", flexShrink: 0 },
  big: { fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: "tabular-nums", marginRight: "8px" },
  word: { color: tokens.colorNeutralForeground2 },
});

function Numbers() {
  const s = useStyles();
  const { state } = useList(eventSpec);
  const { data } = useQuery(eventCounts(apiQuery({ ...state, sort: [] }, false)));
  const list: [string, number | undefined, string][] = [
    ["new vulnerabilities", data?.vulnerabilities, "Distinct vulnerabilities of the new-vulnerability events of this range"],
    ["exploitable vulnerabilities", data?.exploitable, "Distinct vulnerabilities of this range that became known to be exploited or exploitable, and new ones with an exploit"],
  ];
  return (
    <ul className={s.numbers} aria-label="In this range">
      {list.map(([word, n, means]) => (
        <li key={word} title={means}>
          <span className={s.big}>{n === undefined ? "–" : number(n)}</span>
          <span className={s.word}>{word}</span>
        </li>
      ))}
    </ul>
  );
}

/** What changed what the devices are exposed to, newest first. */
export function EventsPage() {
  return (
    <PageHead title="Event timeline" text="What changed the exposure of your devices: new vulnerabilities, exploits, fixes and configuration assessments.">
      <Numbers />
      <EventList />
    </PageHead>
  );
}
