/** Results of configuration checks, in words. */

/** A result in words: what it means, and how it is to be looked at. */
export interface ResultWord {
  word: string;
  means: string;
  tone: "good" | "bad" | "warn" | "quiet";
}

const results: Record<string, ResultWord> = {
  pass: { word: "Pass", means: "The device is set as it should be.", tone: "good" },
  fail: { word: "Fail", means: "A setting is not as it should be.", tone: "bad" },
  not_assessed: { word: "Not assessed", means: "It could not be judged, and raises no score.", tone: "warn" },
  not_applicable: { word: "Not applicable", means: "The check does not concern the device.", tone: "quiet" },
};
export const resultNames: readonly string[] = Object.keys(results);
export const result = (state: string): ResultWord => results[state] ?? { word: state, means: "", tone: "quiet" };
