/** Words of documents about exploitability. */
import { plural } from "./format";

export const vexKinds: readonly string[] = ["OpenVEX", "CSAF", "CycloneDX"];

/** What came of a statement: a word, what it means and how it looks. */
const outcomes: Record<string, { word: string; means: string; tone: "good" | "info" | "quiet" | "warn" }> = {
  Applied: { word: "Applied", means: "An exception holds because of it.", tone: "good" },
  NotExcepted: { word: "No exception", means: "It says that the product is affected, or not known to be: its findings count.", tone: "info" },
  Overruled: { word: "Overruled", means: "A later statement of the same author goes before it.", tone: "quiet" },
  NotMatched: { word: "Not matched", means: "No device has what it is about.", tone: "warn" },
};
export const vexOutcomes: readonly string[] = Object.keys(outcomes);
export const vexOutcome = (o: string) => outcomes[o] ?? { word: o, means: "", tone: "quiet" as const };

const statuses: Record<string, string> = { affected: "Affected", not_affected: "Not affected", fixed: "Fixed", under_investigation: "Under investigation" };
export const vexStatus = (s: string): string => statuses[s] ?? s;

/** A label such as "vulnerable_code_not_present" in words. */
export const labelWords = (s: string): string => (s === "" ? "" : (s[0] ?? "").toUpperCase() + s.slice(1).replaceAll("_", " "));

export interface VexCounts {
  statements: number;
  matched: number;
  applied: number;
  overruled: number;
  unmatched_count: number;
}

/** How many statements of a document came to what. */
export const outcomeCounts = (d: VexCounts): Record<string, number> => ({
  Applied: d.applied, NotExcepted: d.matched - d.applied - d.overruled, Overruled: d.overruled, NotMatched: d.unmatched_count,
});

/** What came of a document's statements, in a sentence. */
export function outcomeText(d: VexCounts): string {
  if (d.statements === 0) return "It says nothing about any product.";
  const counts = outcomeCounts(d);
  const parts = vexOutcomes.flatMap((o) => ((counts[o] ?? 0) > 0 ? [`${counts[o] ?? 0} ${vexOutcome(o).word.toLowerCase()}`] : []));
  return `${plural(d.statements, "statement")}: ${parts.join(", ")}.`;
}
