/** Words of what is done on devices from afar: response actions and what became of them. */

export const kinds = ["isolate", "release", "scan", "collect", "investigate"] as const;
export type Kind = (typeof kinds)[number];
export type Status = "Pending" | "InProgress" | "Succeeded" | "Failed" | "TimeOut" | "Cancelled";
export const statuses: readonly Status[] = ["Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled"];
/** Statuses of actions that have not ended. */
export const open: readonly Status[] = ["Pending", "InProgress"];

export const statusWord: Record<Status, readonly [string, "bad" | "warn" | "good" | "info" | "quiet"]> = {
  Pending: ["Pending", "warn"], InProgress: ["In progress", "info"], Succeeded: ["Succeeded", "good"], Failed: ["Failed", "bad"], TimeOut: ["Timed out", "bad"], Cancelled: ["Cancelled", "quiet"],
};

/** What a status says beyond its word, "" for nothing. */
export function statusMeans(status: Status, connected: boolean): string {
  if (status === "Pending") return connected ? "It is sent to the agent." : "The agent is not connected: it is sent when the agent comes, within 3 days.";
  if (status === "TimeOut") return "The agent did not come, or did not answer, in time. Ask again.";
  return "";
}

export interface KindWords {
  /** As a button says it. */
  name: string;
  /** The same on several devices. */
  many: string;
  /** What it does to a device, before it is asked for. */
  means: readonly string[];
}

export const kindWords: Record<Kind, KindWords> = {
  isolate: {
    name: "Isolate device", many: "Isolate",
    means: [
      "The device is cut off from every network: nothing reaches it and it reaches nothing, also through connections that are open now. People who work on it from afar lose it at once.",
      "Its agent stays connected to this server, so that it goes on reporting and can be released. Isolation outlasts a restart. Linux knows full isolation only.",
    ],
  },
  release: { name: "Release from isolation", many: "Release", means: ["The device may use its networks again, as its own firewall says. What was lost with connections that were cut does not come back by itself."] },
  scan: { name: "Run antivirus scan", many: "Scan", means: ["ClamAV on the device looks through files, with little of its processor. What it finds is reported; nothing is moved or deleted."] },
  collect: {
    name: "Collect investigation package", many: "Collect packages",
    means: ["The agent gathers what an investigation needs: processes, open files, network connections, accounts and sign-ins, services, tasks, logs. It reads only. Passwords, private keys and values of environments stay on the device.", "The package is downloaded from the Action center when it is there, and deleted after a while."],
  },
  investigate: {
    name: "Investigate", many: "Investigate",
    means: ["The agent examines what the alerts of the device name: files, processes and connections, and what starts them. It compares files with their packages and has ClamAV look at them, where that is there. It reads only.", "Each thing gets a verdict with its reason. While an investigation goes on on the device, this joins it."],
  },
};

/** Name of a kind, of this version or of another one. */
export const kindName = (kind: string, otherwise = kind): string => (kind in kindWords ? kindWords[kind as Kind].name : otherwise);

/** How long isolation lasts, in hours; 0: until somebody ends it. */
export const lengths: readonly (readonly [string, string])[] = [["0", "Until somebody releases the device"], ["1", "1 hour"], ["8", "8 hours"], ["24", "1 day"], ["72", "3 days"], ["168", "7 days"]];

/** The moment some hours after now, as the API takes it; undefined for 0. */
export const after = (hours: number, now: Date): string | undefined => (hours > 0 ? new Date(now.getTime() + hours * 3_600_000).toISOString() : undefined);
