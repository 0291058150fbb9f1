/** The words of the product, in one place: what each enumeration is called and what it means. */

import { date } from "./format";

export type Severity = "Critical" | "High" | "Medium" | "Low" | "None";
export const severities: readonly Severity[] = ["Critical", "High", "Medium", "Low", "None"];

/** How a severity is called: "None" means that nobody rated the weakness. */
export const severityWord: Record<Severity, string> = { Critical: "Critical", High: "High", Medium: "Medium", Low: "Low", None: "Not rated" };

export interface Counts {
  critical: number;
  high: number;
  medium: number;
  low: number;
  unrated: number;
}

/** The counts as (severity, count), worst first. */
export function countList(c: Counts): [Severity, number][] {
  return [["Critical", c.critical], ["High", c.high], ["Medium", c.medium], ["Low", c.low], ["None", c.unrated]];
}

/** "3 critical, 2 high", "no weaknesses". */
export function countWords(c: Counts): string {
  const parts = countList(c).filter(([, n]) => n > 0).map(([s, n]) => `${n} ${severityWord[s].toLowerCase()}`);
  return parts.length > 0 ? parts.join(", ") : "no weaknesses";
}

export interface StateWord {
  word: string;
  means: string;
  tone: "bad" | "warn" | "quiet";
}

const states: Record<string, StateWord> = {
  fixed: { word: "Fix available", means: "A fixed version exists in this release.", tone: "bad" },
  open: { word: "Open", means: "Affected; there is no fix yet.", tone: "bad" },
  "no-dsa": { word: "No advisory planned", means: "Affected; the distribution holds it for minor and plans no advisory.", tone: "warn" },
  postponed: { word: "Postponed", means: "Affected; the fix comes with a later update.", tone: "warn" },
  ignored: { word: "Will not be fixed", means: "Affected; the distribution will not fix it in this release.", tone: "warn" },
  "end-of-life": { word: "End of life", means: "Affected; the package is no longer supported in this release.", tone: "bad" },
  affected: { word: "Affected", means: "Affected; the feed tells no more.", tone: "bad" },
  "restart-needed": { word: "Restart needed", means: "Fixed on disk; the old version is still in memory.", tone: "bad" },
  "not-affected": { word: "Not affected", means: "The feed says that this package is not affected.", tone: "quiet" },
  unimportant: { word: "Unimportant", means: "No security impact in practice, says the distribution.", tone: "quiet" },
  undetermined: { word: "Undetermined", means: "The distribution does not know yet whether the package is affected.", tone: "quiet" },
  "latent-kernel": { word: "Kernel not running", means: "This kernel is installed but does not run; it would count if it ran.", tone: "quiet" },
  "kernel-tools": { word: "Kernel tools only", means: "Headers or tools of a vulnerable kernel source, not a kernel.", tone: "quiet" },
};
export const stateNames: readonly string[] = Object.keys(states);
export const state = (s: string): StateWord => states[s] ?? { word: s, means: "", tone: "quiet" };

/** The names of related software, each once; of several versions their number. */
export function products(list: readonly { name: string }[]): string {
  const count = new Map<string, number>();
  for (const { name } of list) count.set(name, (count.get(name) ?? 0) + 1);
  return [...count].map(([name, n]) => (n > 1 ? `${name} (${n} versions)` : name)).join(", ");
}

const healths: Record<string, StateWord> = {
  Active: { word: "Active", means: "Reports in time.", tone: "quiet" },
  Inactive: { word: "Inactive", means: "Has not reported for more than 7 days.", tone: "warn" },
  ImpairedCommunication: { word: "Impaired communication", means: "Reports were lost or refused in the last 24 hours.", tone: "warn" },
  NoSensorData: { word: "No sensor data", means: "Is connected but sends no inventory.", tone: "bad" },
};
export const healthNames: readonly string[] = Object.keys(healths);
export const health = (h: string): StateWord => healths[h] ?? { word: h, means: "", tone: "quiet" };

const closings: Record<string, string> = {
  upgraded: "Upgraded",
  removed: "Removed",
  rejected: "Rejected or withdrawn",
  "advisory-changed": "Advisory changed",
  "kernel-changed": "Another kernel runs",
  restarted: "Restarted",
};
export const closing = (r: string): string => closings[r] ?? r;

const sections: Record<string, string> = {
  os: "Operating system", kernel: "Running kernel", hardware: "Hardware", interfaces: "Network interfaces", dpkg: "Debian packages (dpkg)", sbom: "Other packages of the SBOM",
  rpm: "RPM packages", apk: "Alpine packages (apk)", snap: "Snap packages", flatpak: "Flatpak packages", python: "Python distributions",
  npm: "npm packages", ruby: "Ruby gems", golang: "Go binaries", java: "Java archives", updates: "Pending updates", restart: "Restart needed",
  sysctl: "Kernel parameters", boot: "Boot and kernel modules", mounts: "Mounts and encryption", accounts: "Local accounts", auth: "Authentication",
  sshd: "SSH server", services: "Services", files: "File permissions", audit: "Auditing and logging", firewall: "Packet filters",
  system: "System settings", apps: "Application settings",
};
export const section = (s: string): string => sections[s] ?? s;

export const sectionStatus: Record<string, string> = { complete: "Complete", partial: "Partial", not_applicable: "Not applicable" };

const roles: Record<string, string> = {
  "kernel-running": "The kernel that runs", "kernel-latent": "A kernel that does not run", "kernel-tools": "Headers or tools of a kernel", "in-memory": "Old version still in memory",
};
export const role = (r: string): string => roles[r] ?? r;

export interface ThreatFacts {
  exploit: string;
  kev: boolean;
  ransomware: boolean;
  epss: number;
  /** Exposed devices with active alerts. */
  alerts?: number;
}

export type ThreatKind = "alert" | "kit" | "verified" | "public" | "kev" | "ransomware" | "epss";

/** The insights of a weakness or product, most serious first; an EPSS above 0.9 is one. */
export function threats(t: ThreatFacts): { kind: ThreatKind; text: string }[] {
  const out: { kind: ThreatKind; text: string }[] = [];
  if (t.exploit === "ExploitIsInKit") out.push({ kind: "kit", text: "Exploit is part of an exploit kit" });
  else if (t.exploit === "ExploitIsVerified") out.push({ kind: "verified", text: "Exploit is verified: exploited in the wild" });
  else if (t.exploit === "ExploitIsPublic") out.push({ kind: "public", text: "Exploit is publicly available" });
  if ((t.alerts ?? 0) > 0) out.push({ kind: "alert", text: `Active alerts on ${t.alerts === 1 ? "an exposed device" : `${String(t.alerts)} exposed devices`}` });
  if (t.kev) out.push({ kind: "kev", text: "In CISA's catalogue of known exploited vulnerabilities" });
  if (t.ransomware) out.push({ kind: "ransomware", text: "Known use in ransomware campaigns" });
  if (t.epss > 0.9) out.push({ kind: "epss", text: `Exploitation expected: EPSS ${(t.epss * 100).toFixed(0)} %` });
  return out;
}

export interface LifeFacts {
  product: string;
  cycle: string;
  ended: boolean;
  date: string;
  regular: string;
  extended?: string;
  latest: string;
}

/** The threats that lists are filtered by. */
export const threatNames: readonly string[] = ["exploit", "verified", "kit", "kev", "ransomware", "alert"];
export const threatFilter = {
  name: "threat",
  title: "Threats",
  options: [
    { value: "exploit", label: "Exploit is available" }, { value: "verified", label: "Exploit is verified" }, { value: "kit", label: "Exploit is part of an exploit kit" },
    { value: "kev", label: "Known exploited (KEV)" }, { value: "ransomware", label: "Used in ransomware campaigns" }, { value: "alert", label: "Associated active alert" },
  ],
};

/** When a weakness was published, as lists are filtered by it. */
export const ages: readonly (readonly [string, string])[] = [["week", "Last 7 days"], ["month", "Last 30 days"], ["quarter", "Last 90 days"], ["year", "Last year"], ["older", "More than a year ago"]];
export const weaknessTags: readonly string[] = ["Some updates available", "No security update", "Zero day"];

/** What can be reported as inaccurate, and how. */
export const inaccuracyKinds: Record<string, string> = { software: "Software", weakness: "Weakness", recommendation: "Recommendation" };
export const inaccuracyCategories: Record<"software" | "weakness" | "recommendation", readonly string[]> = {
  software: ["detail-wrong", "not-installed", "count-wrong", "version-wrong", "support-wrong", "not-supported", "other"],
  weakness: ["not-vulnerable", "fix-wrong", "severity-wrong", "detail-wrong", "count-wrong", "not-supported", "other"],
  recommendation: ["does-not-help", "done-already", "detail-wrong", "count-wrong", "other"],
};
const inaccuracyWords: Record<string, string> = {
  "detail-wrong": "A detail is wrong", "not-installed": "It is installed on no device", "count-wrong": "The number of devices is wrong", "version-wrong": "A version is wrong",
  "support-wrong": "The end of support is wrong", "not-vulnerable": "The software is not vulnerable", "fix-wrong": "The fixed version is wrong",
  "severity-wrong": "The severity is wrong", "does-not-help": "Doing it does not help", "done-already": "It is done already", "not-supported": "Please support it: nothing, or too little, is known", other: "Something else",
};
export const inaccuracyWord = (c: string): string => inaccuracyWords[c] ?? c;

/** Software by its product code. */
export const codeFilter = { name: "code", title: "Product code", options: [{ value: "available", label: "Available" }, { value: "cpe", label: "CPE" }, { value: "purl", label: "Package URL" }, { value: "none", label: "Not available" }] };
export const codeNames: readonly string[] = codeFilter.options.map((o) => o.value);

/** The tags of software whose support ended or ends soon. */
export const supportTags: readonly string[] = ["EOS software", "EOS version", "Upcoming EOS software", "Upcoming EOS version"];

/** The tags of recommendations. */
export const recommendationTags: readonly string[] = [...supportTags, "Zero day", "New security update for zero day"];

/** What a release is called: "Debian 12". */
export const releaseName = (e: LifeFacts): string => `${e.product} ${e.cycle}`.trim();

/** How long a release is supported: "supported until Jun 30, 2028". */
export function support(e: LifeFacts): string {
  const regular = e.regular && `regular support until ${date(e.regular)}`;
  const extended = e.extended ? `for subscribers until ${date(e.extended)}` : "";
  const beside = [regular, extended].filter((t) => t !== "").join(", ");
  if (e.ended) return `${e.date ? `no support since ${date(e.date)}` : "no support any more"}${beside && ` (${beside})`}`;
  if (!e.date) return "supported, no end is announced";
  return (regular ? `${regular}, long-term support until ${date(e.date)}` : `supported until ${date(e.date)}`) + (extended && `, ${extended}`);
}

export { vendor, vendorNames } from "./vendor";

const sources: Record<string, string> = {
  cve5: "CVE records", nvd: "NVD", "debian-tracker": "Debian security tracker", "debian-dsa": "Debian security advisories", "debian-dla": "Debian LTS advisories",
  kev: "CISA KEV", epss: "FIRST EPSS", endoflife: "endoflife.date", demo: "Demo intelligence", cna: "CNA", "cisa-adp": "CISA ADP", ghsa: "GitHub",
};
/** A feed, or who rated a weakness. */
export const source = (s: string): string => sources[s] ?? (s.startsWith("osv/") ? `OSV ${s.slice(4)}` : s);

/** Where a severity comes from: "CVSS 3.1 (nvd)" with the feed's name for people. */
export const severityFrom = (s: string): string => s.replace(/\(([^()]+)\)$/, (_, who: string) => `(${source(who)})`);

/** A text that the server begins in lower case, at the beginning of a line. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What a coverage gap is about: a section by its name for people, else the server's own words. */
export const gap = (what: string, name: string): string => (what === "" || what === `section ${name} is incomplete` ? `${section(name)}: not complete` : capital(what));
