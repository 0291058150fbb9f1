import { Button, Popover, PopoverSurface, PopoverTrigger, makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkCircleRegular, WarningRegular } from "@fluentui/react-icons";
import type { MissingPart, Timeline } from "../../api/schema";
import { moment, number, plural } from "../../lib/format";
import { Chip } from "../../ui/Chip";

const useStyles = makeStyles({
  good: { display: "inline-flex", alignItems: "center", gap: "6px", color: tokens.colorStatusSuccessForeground1 },
  box: { maxWidth: "520px", maxHeight: "320px", overflow: "auto" },
  list: { margin: "8px 0 0", paddingLeft: "18px" },
});

const lag = (seconds: number): string => {
  const n = Math.abs(seconds);
  const text = n < 120 ? `${Math.round(n)} s` : n < 7200 ? `${Math.round(n / 60)} min` : n < 172_800 ? `${Math.round(n / 3600)} h` : `${Math.round(n / 86_400)} days`;
  return seconds > 0 ? `${text} behind` : `${text} ahead`;
};

const spoiled = { segment: "A file", block: "A part of a file", index: "The index of a file", log: "The write-ahead log" } as const;

/** Gaps of unknown size of the same time and reason are one, with all their kinds. */
function together(parts: readonly MissingPart[]): MissingPart[] {
  const out: MissingPart[] = [];
  for (const m of parts) {
    const i = out.findIndex((o) => m.count + o.count === 0 && m.after === o.after && m.before === o.before && m.reason === o.reason);
    const same = out[i];
    if (same) out[i] = { ...same, kind: `${same.kind}, ${m.kind}` };
    else out.push(m);
  }
  return out;
}

/** Whether events of the range are missing, and which; and how far the device's clock is off. */
export function Completeness({ t }: { t: Timeline | undefined }) {
  const s = useStyles();
  if (!t) return null;
  const what = [t.missing_total > 0 && `${plural(t.missing_total, "event")} missing`, t.missing_pauses > 0 && `${plural(t.missing_pauses, "gap")} of unknown size`].filter(Boolean).join(", ");
  return (
    <>
      {t.skew_seconds !== 0 && <Chip tone="warn" title="By the host's own clock, which is a column; the times here are put right.">{`Clock ${lag(t.skew_seconds)}`}</Chip>}
      {t.complete ? (
        <span className={s.good} title="Every event has a number of its kind; none is missing in this range."><CheckmarkCircleRegular aria-hidden />0 events missing</span>
      ) : (
        <Popover withArrow>
          <PopoverTrigger disableButtonEnhancement>
            <Button size="small" icon={<WarningRegular />}>{what === "" ? "Parts cannot be read" : `${what}${t.damaged > 0 ? ", parts cannot be read" : ""}`}</Button>
          </PopoverTrigger>
          <PopoverSurface className={s.box} role="dialog" tabIndex={0} aria-label="What is missing">
            {t.damaged > 0 && <div>{`${plural(t.damaged, "part")} of the log on the server cannot be read: the disk returned something else than was written. Events of this device may have been in ${t.damaged === 1 ? "it" : "them"}.`}</div>}
            {t.unreadable.length > 0 && (
              <ul className={s.list}>
                {t.unreadable.map((p, i) => (
                  <li key={i}>{`${spoiled[p.what]}${p.events > 0 ? ` with ${plural(p.events, "event")} of all devices` : ""}${p.bytes > 0 ? `, ${number(p.bytes)} bytes` : ""}, ${p.from && p.to ? `${moment(new Date(p.from))} – ${moment(new Date(p.to))}` : "of an unknown time"}`}</li>
                ))}
              </ul>
            )}
            <ul className={s.list}>
              {together(t.missing).map((m) => (
                <li key={`${m.kind} ${m.from}`}>
                  {`${m.count > 0 ? `${plural(m.count, `${m.kind} event`)} (${number(m.from)} – ${number(m.to)})` : `An unknown number of ${m.kind} events`} between ${moment(new Date(m.after))} and ${moment(new Date(m.before))}: ${m.reason || "not known why"}`}
                </li>
              ))}
            </ul>
          </PopoverSurface>
        </Popover>
      )}
    </>
  );
}
