/** Words of the event timeline. */

export type EventKind =
  | "NewVulnerability" | "NewPublicExploit" | "ExploitVerified" | "ExploitInKit" | "AddedToKEV" | "FixPublished" | "SupportEnded" | "NewConfigurationAssessment" | "ExceptionExpired" | "ExceptionResurfaced" | "FirstAssessment";

const kinds: Record<EventKind, { word: string; means: string }> = {
  NewVulnerability: { word: "New vulnerability", means: "The intelligence says now that installed software is vulnerable." },
  NewPublicExploit: { word: "New public exploit", means: "An exploit of a vulnerability on devices became public." },
  ExploitVerified: { word: "Exploit was verified", means: "A vulnerability on devices is known to be exploited in the wild." },
  ExploitInKit: { word: "Exploit added to an exploit kit", means: "An exploit of a vulnerability on devices is part of a kit, or used for ransom." },
  AddedToKEV: { word: "Added to KEV", means: "CISA added a vulnerability on devices to its catalogue." },
  FixPublished: { word: "Fix published", means: "A version exists now that fixes what was open on devices." },
  SupportEnded: { word: "Support ended", means: "Nobody makes fixes any more for a release that devices have." },
  NewConfigurationAssessment: { word: "New configuration assessment", means: "This version of Picket checks one more setting." },
  ExceptionExpired: { word: "Exception expired", means: "What was excepted counts again." },
  ExceptionResurfaced: { word: "Exception resurfaced", means: "What was excepted became worse and counts again." },
  FirstAssessment: { word: "First assessment", means: "Feeds speak for this software for the first time: all that they say is one event, and no news." },
};

export const eventKinds = Object.keys(kinds) as readonly EventKind[];
export const kindWord = (k: string): string => (k in kinds ? kinds[k as EventKind].word : k);
export const kindMeans = (k: string): string => (k in kinds ? kinds[k as EventKind].means : "");

export interface Step {
  score: string;
  trend: string;
  before: number;
  after: number;
}

/** How a score went, in a sentence. */
export function stepSays(s: Step): string {
  const name = s.score === "secure" ? "Secure score" : "Exposure score";
  const unit = s.score === "secure" ? " %" : "";
  const n = (v: number): string => `${v.toFixed(2)}${unit}`;
  switch (s.trend) {
    case "up":
    case "down":
      return `${name} went ${s.trend} from ${n(s.before)} to ${n(s.after)}`;
    case "same":
      return `${name} stayed at ${n(s.after)}`;
    default:
      return `${name}: not known`;
  }
}

/** Whether a step is for the better: less exposure, more security. */
export const stepIsGood = (s: Step): boolean => (s.score === "secure" ? s.trend === "up" : s.trend === "down");

/** A share as people read it: "12.3 %", "< 0.1 %", "100 %". */
export function share(perCent: number): string {
  if (perCent > 0 && perCent < 0.1) return "< 0.1 %";
  return `${perCent % 1 === 0 || perCent >= 99.95 ? perCent.toFixed(0) : perCent.toFixed(1)} %`;
}

/** How counts over days went: the first against the last. */
export function course(counts: readonly number[]): "rising" | "falling" | "level" {
  const first = counts[0] ?? 0;
  const last = counts[counts.length - 1] ?? 0;
  return last > first ? "rising" : last < first ? "falling" : "level";
}

/** The line of a small graph of counts, as an SVG path. */
export function spark(counts: readonly number[], width: number, height: number): string {
  const low = Math.min(...counts);
  const high = Math.max(...counts);
  const x = (i: number): number => (counts.length > 1 ? (i / (counts.length - 1)) * width : width / 2);
  const y = (n: number): number => (high > low ? height - ((n - low) / (high - low)) * height : height / 2);
  return counts.map((n, i) => `${i === 0 ? "M" : "L"}${x(i).toFixed(1)} ${y(n).toFixed(1)}`).join("");
}
