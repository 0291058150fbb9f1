/** What a patch plan says of itself, and the geometry of its picture. */

import { points } from "./exposure";
import { number, plural } from "./format";

/** What the words need of a plan. */
export interface PlanFacts {
  steps: readonly unknown[];
  goal: { target: number };
  reached: boolean;
  searched: boolean;
  fewest: number;
  lowest: boolean;
  considered: number;
  available: number;
  predicted: { score: number };
}

/** What is known of a plan, in one sentence; `good` is whether it does what was asked. */
export function verdict(p: PlanFacts): { good: boolean; text: string } {
  const n = p.steps.length;
  const target = p.goal.target;
  const after = points(p.predicted.score);
  if (!p.searched) return { good: p.reached, text: `${plural(n, "change")} of your choice. The score comes to ${after}${p.reached ? `, below ${target}` : ""}.` };
  if (p.reached && n === 0) return { good: true, text: `The score is below ${target} already.` };
  if (p.reached) return { good: true, text: `${plural(n, "change")} bring${n === 1 ? "s" : ""} the score below ${target}, to ${after}.` };
  if (n === 0 && p.available === 0) return { good: false, text: "There is nothing that this plan may do." };
  if (n === 0 && p.lowest) return { good: false, text: `The target cannot be reached: with all ${plural(p.available, "recommendation")} carried out the score is ${after}.` };
  if (n === 0) return { good: false, text: `The target is not reached by the ${plural(p.considered, "recommendation")} of the highest impact: with them the score is ${after}.` };
  if (p.lowest) return { good: false, text: `The target cannot be reached within these limits. ${after} is the lowest score that they allow.` };
  return { good: false, text: `No plan that reaches the target was found within these limits. The lowest score that was found is ${after}.` };
}

/** What is proven of a plan: how far from the smallest it can be. */
export function bound(p: PlanFacts): string[] {
  const n = p.steps.length;
  const out: string[] = [];
  if (!p.searched) return ["Nothing was searched: these are the recommendations of your basket, in the order in which each lowers the score most."];
  if (p.reached && n > 0) {
    if (n === p.fewest) out.push(p.lowest ? "Proven: no smaller set of changes reaches the target, and none of this size has a lower score." : "Proven: no smaller set of changes reaches the target.");
    else out.push(`Proven: no set of fewer than ${number(p.fewest)} changes reaches the target, so this plan has at most ${plural(n - p.fewest, "change")} more than the smallest.`);
  }
  if (p.available > p.considered) out.push(`Of ${plural(p.available, "recommendation")} that are allowed, the ${number(p.considered)} of the highest impact were considered; what is proven holds among these.`);
  return out;
}

export interface StepsPicture {
  low: number;
  high: number;
  ticks: number[];
  x: (step: number) => number;
  y: (score: number) => number;
  /** The score after each step, as stairs. */
  stairs: string;
}

const grid = [0.5, 1, 2, 5, 10, 20, 50];

/** The picture of a plan's scores, the first before any step. */
export function stepsPicture(scores: readonly number[], also: readonly number[], width: number, height: number): StepsPicture {
  const all = [...scores, ...also];
  const top = Math.max(...all, 0);
  const least = Math.min(...all, 100);
  const step = grid.find((g) => (top - least) / g <= 4) ?? 50;
  const low = Math.max(0, Math.floor(least / step) * step);
  const high = Math.max(low + step, Math.min(100, Math.ceil(top / step) * step));
  const ticks: number[] = [];
  for (let t = low; t <= high + step / 2; t += step) ticks.push(Math.round(t * 10) / 10);
  const n = Math.max(1, scores.length - 1);
  const x = (i: number): number => (i / n) * width;
  const y = (v: number): number => height - ((Math.max(low, Math.min(high, v)) - low) / (high - low)) * height;
  const stairs = scores.map((v, i) => (i === 0 ? `M0 ${y(v).toFixed(2)}` : `V${y(v).toFixed(2)}`) + (i < scores.length - 1 ? `H${x(i + 1).toFixed(2)}` : "")).join("");
  return { low, high, ticks, x, y, stairs };
}

/** Reads a whole number that a person typed: undefined for nothing, null for what is none. */
export function typedNumber(text: string): number | undefined | null {
  const t = text.trim().replace(/[,\s]/g, "");
  if (t === "") return undefined;
  return /^\d{1,9}$/.test(t) ? Number(t) : null;
}

/** The device groups of a plan, by name. */
export const groupWords = (p: { all_devices: boolean; group_names: readonly string[] }): string => (p.all_devices ? "All devices" : p.group_names.join(", "));

/** How far a search is. */
export function searchWords(p: { stage: string; done: number; of: number } | undefined): string {
  const share = p && p.of > 0 ? `, ${Math.floor((100 * p.done) / p.of)} %` : "";
  if (p?.stage === "waiting") return "Another search runs: this one waits for its turn …";
  if (p?.stage === "reading") return `Reading the fleet${share} …`;
  return p?.stage === "searching" ? `Searching for the smallest plan${share} of what it may take …` : "Searching for the smallest plan …";
}
