/** Words and numbers of exposure scores and recommendations. */

import type { StateWord } from "./words";

export type Level = "High" | "Medium" | "Low" | "None" | "NoData";
export const levels: readonly Level[] = ["High", "Medium", "Low", "None", "NoData"];

const words: Record<Level, { word: string; means: string }> = {
  High: { word: "High", means: "A score from 70: many weaknesses, or some that are used in attacks." },
  Medium: { word: "Medium", means: "A score from 30 and below 70." },
  Low: { word: "Low", means: "A score below 30." },
  None: { word: "None", means: "Nothing that counts is known to be wrong." },
  NoData: { word: "No data available", means: "Silent for 30 days, or its operating system is not known: it is in no score." },
};

/** The level that a word of the server names; what is unknown is no data. */
export const levelOf = (text: string): Level => ((levels as readonly string[]).includes(text) ? (text as Level) : "NoData");
export const levelWord = (l: Level): string => words[l].word;
export const levelMeans = (l: Level): string => words[l].means;

/** A score of 0 to 100 to one decimal, as people read it: never "0.0" or "100.0" for what is neither. */
export function points(n: number): string {
  if (n > 0 && n < 0.05) return "< 0.1";
  if (n < 100 && n >= 99.95) return "> 99.9";
  return n.toFixed(1);
}

/** What a score falls by, to two decimals: "3.25", "< 0.01", "0". */
export function impact(n: number): string {
  if (n <= 0) return "0";
  return n < 0.005 ? "< 0.01" : n.toFixed(2);
}

/** A number with all the digits that it has. */
export const full = (n: number): string => String(n);

export const values = ["Low", "Normal", "High"] as const;
export type DeviceValue = (typeof values)[number];
export const valueMeans: Record<DeviceValue, string> = {
  Low: "Weighs three quarters of a normal device in the exposure score, unless the settings say otherwise.",
  Normal: "Weighs once in the exposure score, unless the settings say otherwise.",
  High: "Weighs a tenth of all devices in the exposure score, at least once and at most ten times, unless the settings say otherwise.",
};

const remedies: Record<string, StateWord> = {
  Update: { word: "Update", means: "A version that closes the weaknesses exists: install it.", tone: "bad" },
  Upgrade: { word: "Upgrade", means: "Its release line is no longer supported: move to one that is.", tone: "bad" },
  Uninstall: { word: "Uninstall", means: "No version of it is supported any more: remove or replace it.", tone: "bad" },
  AttentionRequired: { word: "Attention required", means: "There is no fix yet: remove the software or limit who reaches it.", tone: "warn" },
  ConfigurationChange: { word: "Configuration change", means: "A setting is not as it should be: change it.", tone: "warn" },
  Restart: { word: "Restart", means: "The fix is installed; programs still use the old version.", tone: "bad" },
};
export const remedyNames: readonly string[] = Object.keys(remedies);
export const remedy = (type: string): StateWord => remedies[type] ?? { word: type, means: "", tone: "quiet" };

/** Whether a recommendation is about configuration rather than software. */
export const isConfiguration = (type: string): boolean => type === "ConfigurationChange";

const categoryWords: Record<string, string> = { Application: "Application", OS: "Operating system", Network: "Network", Accounts: "Accounts", SecurityControls: "Security controls" };
export const categories: readonly string[] = Object.keys(categoryWords);
export const categoryWord = (c: string): string => categoryWords[c] ?? c;

/** Whether a recommendation is about the release of an operating system, which has no software page. */
export const isRelease = (r: { type: string; category: string }): boolean => r.type === "Upgrade" && r.category === "OS";
