/** Words of alerts. */

export interface Word {
  word: string;
  means: string;
  tone: "bad" | "warn" | "good" | "info" | "quiet";
}

export const alertSeverities: readonly string[] = ["High", "Medium", "Low", "Informational", "UnSpecified"];
export const alertSeverityWord = (v: string): string => (v === "UnSpecified" ? "Not specified" : v);

const statuses: Record<string, Word> = {
  New: { word: "New", means: "Nobody has begun to look at it.", tone: "bad" },
  InProgress: { word: "In progress", means: "Somebody looks at it.", tone: "info" },
  Resolved: { word: "Resolved", means: "It is done with.", tone: "quiet" },
};
export const alertStatuses: readonly string[] = Object.keys(statuses);
export const alertStatus = (v: string): Word => statuses[v] ?? { word: v, means: "", tone: "quiet" };

const classes: Record<string, string> = { TruePositive: "True positive", InformationalExpectedActivity: "Informational, expected activity", FalsePositive: "False positive" };
export const classifications: readonly string[] = Object.keys(classes);
export const classification = (v: string): string => classes[v] ?? "Not set";

/** What a classification may be determined to be. */
export const determinations: Record<string, readonly string[]> = {
  TruePositive: ["MultiStagedAttack", "MaliciousUserActivity", "CompromisedUser", "Malware", "Phishing", "UnwantedSoftware", "Other"],
  InformationalExpectedActivity: ["SecurityTesting", "LineOfBusinessApplication", "ConfirmedUserActivity", "Other"],
  FalsePositive: ["Clean", "InsufficientData", "Other"],
};

export const alertCategories: readonly string[] = [
  "General", "CommandAndControl", "Collection", "CredentialAccess", "DefenseEvasion", "Discovery", "Exfiltration", "Exploit", "Execution", "InitialAccess", "LateralMovement", "Malware", "Persistence",
  "PrivilegeEscalation", "Ransomware", "SuspiciousActivity",
];

/** A name in words: "CommandAndControl" is "Command and control". */
export function spaced(v: string): string {
  const words = v.replace(/([a-z])([A-Z])/g, "$1 $2").split(" ");
  return words.map((w, i) => (i === 0 ? w : w.toLowerCase())).join(" ");
}

/** Where alerts come from: words of the API's detection sources. */
export const sourceWord = (v: string): string => ({ CustomDetection: "Raised by a person", ThirdPartySensors: "Raised by a program", CustomerTI: "Raised by an indicator" })[v] ?? spaced(v);

/** Where an alert comes from: those that the demo raises about its simulated devices were raised by nobody. */
export const alertSource = (a: { source: string; simulated: boolean; maker: string }): string => (a.simulated && a.maker === "demo" ? "Simulated" : sourceWord(a.source));

export const riskLevels: readonly string[] = ["High", "Medium", "Low", "Informational", "None"];
export const riskWord = (v: string): string => (v === "None" ? "No known risks" : v);
export const riskMeans = (v: string): string =>
  v === "None" ? "The device has no active alerts." : `What the active alerts of the device come to is ${v.toLowerCase()}.`;

/** The ids of techniques that somebody typed, parted by commas or blanks. */
export const techniqueIds = (text: string): string[] => text.toUpperCase().split(/[\s,;]+/).filter((t) => t !== "");
export const isTechnique = (id: string): boolean => /^T\d{4}(\.\d{3})?$/.test(id);
