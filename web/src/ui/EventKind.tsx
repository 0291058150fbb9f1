import { makeStyles, tokens } from "@fluentui/react-components";
import {
  ArrowDownRegular, ArrowUpRegular, CalendarCancelRegular, CheckmarkCircleRegular, ClipboardTaskListLtrRegular, ClockAlarmRegular, DocumentErrorRegular, FlagRegular, ShieldErrorFilled, SubtractRegular, WarningFilled,
} from "@fluentui/react-icons";
import type { ReactNode } from "react";
import { kindMeans, kindWord, stepIsGood, stepSays, type EventKind as Kind, type Step } from "../lib/events";
import { Badged, ExploitIcon } from "./Badged";

const icons: Record<Kind, ReactNode> = {
  NewVulnerability: <DocumentErrorRegular />,
  NewPublicExploit: <ExploitIcon how="public" />,
  ExploitVerified: <ExploitIcon how="verified" />,
  ExploitInKit: <ExploitIcon how="kit" />,
  AddedToKEV: <ShieldErrorFilled />,
  FixPublished: <CheckmarkCircleRegular />,
  SupportEnded: <CalendarCancelRegular />,
  NewConfigurationAssessment: <ClipboardTaskListLtrRegular />,
  ExceptionExpired: <ClockAlarmRegular />,
  ExceptionResurfaced: <Badged badge={<WarningFilled />}><ClockAlarmRegular /></Badged>,
  FirstAssessment: <FlagRegular />,
};

const useStyles = makeStyles({
  icon: { display: "inline-flex", flexShrink: 0, fontSize: "20px", verticalAlign: "middle" },
  bad: { color: tokens.colorPaletteRedForeground1 },
  good: { color: tokens.colorPaletteGreenForeground1 },
  calm: { color: tokens.colorNeutralForeground2 },
  root: { display: "inline-flex", alignItems: "center", verticalAlign: "middle", gap: "8px" },
  step: { display: "inline-flex", alignItems: "center", verticalAlign: "middle", gap: "4px", fontVariantNumeric: "tabular-nums" },
});

const tone = (k: string): "bad" | "good" | "calm" => (k === "FixPublished" ? "good" : ["NewVulnerability", "NewPublicExploit", "ExploitVerified", "ExploitInKit", "AddedToKEV", "SupportEnded"].includes(k) ? "bad" : "calm");

/** The icon of a kind of event; its words stand beside it or are its title. */
export function EventIcon({ kind }: { kind: string }) {
  const s = useStyles();
  const icon = icons[kind as Kind] ?? icons.FirstAssessment; // a newer server may have more kinds
  return (
    <span className={`${s.icon} ${s[tone(kind)]}`} aria-hidden>
      {icon}
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
