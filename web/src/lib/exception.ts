/** Words of exceptions, and what each justification does to the scores. */
/** A word, what it means and how it looks. */
export interface Word {
  word: string;
  means: string;
  tone: "info" | "quiet" | "warn";
}

export const justifications = ["ThirdPartyControl", "AlternateMitigation", "RiskAccepted", "PlannedRemediation"] as const;
export type Justification = (typeof justifications)[number];

const justificationWords: Record<string, { word: string; means: string; lowers: boolean }> = {
  ThirdPartyControl: { word: "Third-party control", means: "Another product or service already protects against it.", lowers: true },
  AlternateMitigation: { word: "Alternate mitigation", means: "A measure of your own already protects against it.", lowers: true },
  RiskAccepted: { word: "Risk accepted", means: "The risk is low, or mending it costs more.", lowers: false },
  PlannedRemediation: { word: "Planned remediation (grace)", means: "It is planned and not due yet.", lowers: false },
};
export const justification = (j: string) => justificationWords[j] ?? { word: j, means: "", lowers: false };

/** What an exception of a justification does to the scores, in a sentence. */
export const scoreEffect = (j: string): string =>
  justification(j).lowers ? "Lowers the exposure score and raises the secure score while it is in effect." : "Changes no score: the risk is still there.";

const statuses: Record<string, Word> = {
  InEffect: { word: "In effect", means: "Nobody has to do anything about it where it holds.", tone: "info" },
  Suspended: { word: "Suspended", means: "A global exception for the same holds instead, until it ends.", tone: "quiet" },
  Expired: { word: "Expired", means: "Its time is over.", tone: "quiet" },
  Canceled: { word: "Canceled", means: "Somebody ended it.", tone: "quiet" },
  Resurfaced: { word: "Resurfaced", means: "What it was about got worse, so it ended.", tone: "warn" },
};
export const exceptionStatuses: readonly string[] = Object.keys(statuses);
export const exceptionStatus = (s: string): Word => statuses[s] ?? { word: s, means: "", tone: "quiet" };

export const scopes: readonly string[] = ["Global", "DeviceGroups", "Devices"];
const scopeWords: Record<string, string> = { Global: "Global", DeviceGroups: "Device groups", Devices: "Devices" };
export const scopeWord = (s: string): string => scopeWords[s] ?? s;

export const kinds: readonly string[] = ["Recommendation", "Weakness", "Software", "Path"];

const recommendationStatuses: Record<string, Word> = {
  Active: { word: "Active", means: "There is something to do.", tone: "quiet" },
  PartialException: { word: "Partial exception", means: "Some of it is under an exception.", tone: "info" },
  FullException: { word: "Full exception", means: "All of it is under exceptions: there is nothing to do until they end.", tone: "info" },
};
export const recommendationStatusNames: readonly string[] = Object.keys(recommendationStatuses);
export const recommendationStatus = (s: string): Word => recommendationStatuses[s] ?? { word: s, means: "", tone: "quiet" };

const historyWords: Record<string, string> = {
  created: "Made", canceled: "Canceled", group_canceled: "Canceled for device groups", expired: "Expired", resurfaced: "Brought back: it got worse",
};
export const historyWord = (t: string): string => historyWords[t] ?? t;

/** The date n days from now as a date field writes it. */
export const dayAfter = (n: number, now = Date.now()): string => new Date(now + n * 86_400_000).toISOString().slice(0, 10);

interface Subject {
  recommendation?: string;
  weakness?: string;
  product?: string;
  version_from?: string;
  version_to?: string;
  path?: string;
}

/** Whether two exceptions are about exactly the same, so that only one of them may hold in a place. */
export function sameSubject(a: Subject, b: Subject): boolean {
  const text = (s: Subject): string => JSON.stringify(s.recommendation ? s.recommendation : [s.weakness, s.product, s.version_from, s.version_to, s.path].map((t) => (t ?? "").trim()));
  return text(a) === text(b);
}
