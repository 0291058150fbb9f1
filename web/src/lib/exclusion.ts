export type ExclusionReason = "inactive" | "duplicate" | "not-there" | "out-of-scope" | "other";

/** Why a device is excluded, in words. */
export const exclusionReasons: Record<ExclusionReason, string> = {
  inactive: "Not in use", duplicate: "Duplicate of another device", "not-there": "Does not exist any more", "out-of-scope": "Out of scope", other: "Other",
};

/** An exclusion in a sentence. */
export const exclusionText = (e: { reason: ExclusionReason; comment: string; by: string }): string => `${exclusionReasons[e.reason]}${e.comment === "" ? "" : `: ${e.comment}`} (${e.by})`;

export type Change = "exclude" | "include" | "value" | "check-in";

/** What can be changed on several devices, and what that does. */
export const changeWords: Record<Change, { name: string; means: string }> = {
  value: { name: "Set device value", means: "The value weighs the device in the exposure score." },
  "check-in": { name: "Check in now", means: "The agents look at everything now. Where rules of approval ask for it, somebody else has to agree first." },
  exclude: { name: "Exclude", means: "The device leaves scores, counts and lists over devices at once. It stays in the Devices list, what happens on it is recorded, and alerts are raised. It can be taken in again at any time." },
  include: { name: "Take in again", means: "The device counts in scores and lists again, with what is known of it now." },
};
