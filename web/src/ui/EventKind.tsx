import { makeStyles, tokens } from "@fluentui/react-components";
import {
  ArrowDownRegular, ArrowUpRegular, BugRegular, CalendarCancelRegular, CheckmarkCircleRegular, ClipboardTaskListLtrRegular, ClockAlarmRegular, DocumentErrorRegular, FlagRegular, FlashFilled, ShieldErrorRegular, SubtractRegular,
  WarningFilled,
} from "@fluentui/react-icons";
import { kindMeans, kindWord, stepIsGood, stepSays, type EventKind as Kind, type Step } from "../lib/events";

const icons: Record<Kind, typeof BugRegular> = {
  NewVulnerability: DocumentErrorRegular,
  NewPublicExploit: BugRegular,
  ExploitVerified: BugRegular,
  ExploitInKit: BugRegular,
  AddedToKEV: ShieldErrorRegular,
  FixPublished: CheckmarkCircleRegular,
  SupportEnded: CalendarCancelRegular,
  NewConfigurationAssessment: ClipboardTaskListLtrRegular,
  ExceptionExpired: ClockAlarmRegular,
  ExceptionResurfaced: ClockAlarmRegular,
  FirstAssessment: FlagRegular,
};

const badges: Partial<Record<Kind, typeof BugRegular>> = { ExploitVerified: WarningFilled, ExploitInKit: FlashFilled, ExceptionResurfaced: WarningFilled };

const useStyles = makeStyles({
  icon: { position: "relative", display: "inline-flex", flexShrink: 0, fontSize: "20px", verticalAlign: "middle" },
  bad: { color: tokens.colorPaletteRedForeground1 },
  good: { color: tokens.colorPaletteGreenForeground1 },
  calm: { color: tokens.colorNeutralForeground2 },
  badge: { position: "absolute", right: "-5px", bottom: "-3px", fontSize: "11px", color: tokens.colorPaletteDarkOrangeForeground1 },
  root: { display: "inline-flex", alignItems: "center", verticalAlign: "middle", gap: "8px" },
  step: { display: "inline-flex", alignItems: "center", verticalAlign: "middle", gap: "4px", fontVariantNumeric: "tabular-nums" },
});

const tone = (k: string): "bad" | "good" | "calm" => (k === "FixPublished" ? "good" : ["NewVulnerability", "NewPublicExploit", "ExploitVerified", "ExploitInKit", "AddedToKEV", "SupportEnded"].includes(k) ? "bad" : "calm");

/** The icon of a kind of event; its words stand beside it or are its title. */
export function EventIcon({ kind }: { kind: string }) {
  const s = useStyles();
  const Icon = icons[kind as Kind] ?? FlagRegular; // eslint-disable-line @typescript-eslint/no-unnecessary-condition -- a newer server may have more kinds
  const Badge = badges[kind as Kind];
  return (
    <span className={`${s.icon} ${s[tone(kind)]}`} aria-hidden>
      <Icon />
      {Badge && <span className={s.badge}><Badge /></span>}
    </span>
  );
}

/** A kind of event: icon and word, or the word alone. */
export function EventKind({ kind, plain }: { kind: string; plain?: boolean }) {
  const s = useStyles();
  return <span className={s.root} title={kindMeans(kind)}>{!plain && <EventIcon kind={kind} />}{kindWord(kind)}</span>;
}

/** The arrow of a score with a change: green for the better. */
export function ScoreStep({ step, words }: { step: Step; words?: boolean }) {
  const s = useStyles();
  const says = stepSays(step);
  const Icon = step.trend === "up" ? ArrowUpRegular : step.trend === "down" ? ArrowDownRegular : SubtractRegular;
  const color = step.trend !== "up" && step.trend !== "down" ? s.calm : stepIsGood(step) ? s.good : s.bad;
  return (
    <span className={s.step} title={says} role="img" aria-label={says}>
      <span className={`${s.icon} ${color}`} aria-hidden><Icon /></span>
      {words && <span aria-hidden>{says}</span>}
    </span>
  );
}
