/** Words of investigations. */
import { spaced } from "./alerts";

type Tone = "bad" | "warn" | "good" | "info" | "quiet";

const states: Record<string, readonly [string, Tone]> = {
  Queued: ["Queued", "warn"], PendingApproval: ["Waits for an approval", "warn"], PendingResource: ["Waits for the device", "warn"], Running: ["Running", "info"],
  Benign: ["No threats found", "good"], PartiallyInvestigated: ["Partially investigated", "warn"], Failed: ["Failed", "bad"], TerminatedByUser: ["Cancelled", "quiet"], TerminatedBySystem: ["Ended by the system", "quiet"],
};
export const stateNames: readonly string[] = Object.keys(states);
export const stateWord = (state: string): readonly [string, Tone] => states[state] ?? [spaced(state), "quiet"];

const verdicts: Record<string, readonly [string, Tone]> = { Malicious: ["Malicious", "bad"], Suspicious: ["Suspicious", "warn"], Unknown: ["Unknown", "quiet"], NoThreatsFound: ["No threats found", "good"] };
export const verdictWord = (verdict: string): readonly [string, Tone] => verdicts[verdict] ?? [spaced(verdict), "quiet"];

export const presence = (status: string): string => (status === "Active" ? "Still there" : status === "NotFound" ? "Gone" : "Not examined");
export const kindWord = (kind: string): string => (({ Ip: "Address", Url: "Host or URL", Persistence: "Starts something" } as Record<string, string>)[kind] ?? kind);
