import { makeStyles, tokens } from "@fluentui/react-components";
import { FlagFilled, FlagRegular } from "@fluentui/react-icons";
import type { MouseEvent } from "react";
import type { TimelineRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { MayButton } from "../../app/MayButton";
import { moment, time } from "../../lib/format";
import { toneOf } from "../../lib/timeline";
import type { Column } from "../../ui/DataTable";
import { EventIcon } from "./EventIcon";

const useStyles = makeStyles({
  title: { display: "flex", gap: "8px", alignItems: "center", minWidth: 0 },
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way to end the second line with dots
  words: { minWidth: 0, overflow: "hidden", textOverflow: "ellipsis", overflowWrap: "anywhere", display: "-webkit-box", WebkitBoxOrient: "vertical", WebkitLineClamp: "2" },
  arrow: { color: tokens.colorNeutralForeground3, margin: "0 4px" },
});

/** What happened, with a sign of its group. */
function Title({ row }: { row: TimelineRow }) {
  const s = useStyles();
  return (
    <span className={s.title} title={row.title}>
      <EventIcon tone={toneOf(row.group)} group={row.group} />
      <span className={s.words}>{row.title}</span>
    </span>
  );
}

/** What took part, in the order in which it acted. */
function Entities({ row }: { row: TimelineRow }) {
  const s = useStyles();
  if (row.entities.length === 0) return <>–</>;
  return (
    <span title={row.entities.map((e) => e.detail || e.name).join("\n")}>
      {row.entities.map((e, i) => (
        <span key={`${i} ${e.name}`}>{i > 0 && <span className={s.arrow} aria-hidden>›</span>}{e.name}</span>
      ))}
    </span>
  );
}

/** What else is known of it, with the techniques that it may be part of and the alerts about it. */
function Info({ r }: { r: TimelineRow }) {
  const words = [...r.alerts.map((a) => `Alert: ${a.title}`), ...r.info, ...r.techniques.map((t) => t.id)];
  const title = [...r.alerts.map((a) => `Alert: ${a.title}`), ...r.info, ...r.techniques.map((t) => `${t.id} ${t.name}: ${t.reason ?? ""}`)].join("\n");
  return <span title={title}>{words.join(" · ") || "–"}</span>;
}

/** A moment to the millisecond, without the year that everybody knows. */
function Clock({ at }: { at: string }) {
  const d = time(at);
  if (!d) return <>–</>;
  const text = `${moment(d)}.${String(d.getMilliseconds()).padStart(3, "0")}`;
  const short = d.getFullYear() === new Date().getFullYear() ? text.replace(/, \d{4},/, ",") : text;
  return <time dateTime={at} title={text}>{short}</time>;
}

const field = (name: string) => (r: TimelineRow) => {
  const v = r.fields[name];
  const text = typeof v === "string" ? v : v === undefined ? "" : JSON.stringify(v);
  return <span title={text}>{text || "–"}</span>;
};

/** The rights that open the flags of events. */
export const flagRights = ["alerts.investigate", "settings.security"] as const;

/** The columns of a timeline; the last one flags. */
export function timelineColumns(onFlag: (row: TimelineRow) => void): readonly Column<TimelineRow>[] {
  return [
    { key: "time", title: "Event time", width: 178, render: (r) => <OpenLink id={r.id}><Clock at={r.time} /></OpenLink> },
    { key: "title", title: "Event", width: 180, grow: true, render: (r) => <Title row={r} /> },
    { key: "user", title: "User", width: 98, render: (r) => <span title={r.user}>{r.user || "–"}</span> },
    { key: "action", title: "Action type", width: 134, render: (r) => <span title={r.action}>{r.action}</span> },
    { key: "entities", title: "Entities", width: 146, render: (r) => <Entities row={r} /> },
    { key: "info", title: "Additional information", width: 108, render: (r) => <Info r={r} /> },
    { key: "techniques", title: "Techniques", width: 110, optional: true, render: (r) => <span title={r.techniques.map((t) => `${t.id} ${t.name}: ${t.reason ?? ""}`).join("\n")}>{r.techniques.map((t) => t.id).join(", ") || "–"}</span> },
    {
      key: "flag", title: "Flag", width: 60, sort: { key: "flagged", first: "desc" },
      render: (r) => (
        <MayButton
          rights={flagRights}
          size="small"
          appearance="transparent"
          icon={r.flagged ? <FlagFilled /> : <FlagRegular />}
          aria-pressed={r.flagged}
          aria-label={r.flagged ? `Remove the flag of ${r.title}` : `Flag ${r.title}`}
          onClick={(e: MouseEvent) => { e.stopPropagation(); onFlag(r); }}
        />
      ),
    },
    { key: "group", title: "Event group", width: 160, optional: true, render: (r) => r.group },
    { key: "command", title: "Command line", width: 300, optional: true, render: (r) => field("ProcessCommandLine")(r) },
    { key: "initiating", title: "Initiating process command line", width: 300, optional: true, render: (r) => field("InitiatingProcessCommandLine")(r) },
    { key: "pid", title: "Process id", width: 96, align: "end", optional: true, render: (r) => field("ProcessId")(r) },
    { key: "path", title: "Folder path", width: 240, optional: true, render: (r) => field("FolderPath")(r) },
    { key: "sha256", title: "SHA-256", width: 240, optional: true, render: (r) => field("SHA256")(r) },
    { key: "remote", title: "Remote address", width: 150, optional: true, render: (r) => field("RemoteIP")(r) },
    { key: "table", title: "Table", width: 180, optional: true, render: (r) => r.table },
    { key: "host_time", title: "Host's clock", width: 186, optional: true, render: (r) => <Clock at={r.host_time} /> },
    { key: "received", title: "Received", width: 186, optional: true, render: (r) => <Clock at={r.received} /> },
    { key: "seq", title: "Number", width: 90, align: "end", optional: true, render: (r) => String(r.seq) },
  ];
}
