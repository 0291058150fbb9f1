/** Words of remediation activities and their tickets. */

export interface Word {
  word: string;
  means: string;
  tone: "bad" | "warn" | "good" | "info" | "quiet";
}

export const priorityNames: readonly string[] = ["High", "Medium", "Low"];

const tickets: Record<string, Word> = {
  dead: { word: "Given up", means: "A ticket could not be delivered for days: look at the activity.", tone: "bad" },
  failing: { word: "Not delivered", means: "The last attempt to deliver a ticket did not succeed; it is tried again.", tone: "warn" },
  pending: { word: "On its way", means: "A ticket waits to be sent.", tone: "info" },
  open: { word: "Open", means: "The ticket is open.", tone: "info" },
  "in progress": { word: "In progress", means: "Somebody works on the ticket.", tone: "info" },
  closed: { word: "Closed", means: "The ticket is closed. The devices say whether the work is done.", tone: "quiet" },
  sent: { word: "Sent", means: "The message was delivered; its receiver tells no state.", tone: "quiet" },
};
export const ticketNames: readonly string[] = [...Object.keys(tickets), "none"];
export const ticketWord = (v: string): Word => tickets[v] ?? { word: "No ticket", means: "The activity is only tracked.", tone: "quiet" };

const targets: Record<string, Word> = {
  fixed: { word: "Fixed", means: "The cause is gone.", tone: "good" },
  exposed: { word: "Exposed", means: "The cause is still there.", tone: "bad" },
  silent: { word: "Silent", means: "Not seen for 30 days: nothing can be said, so it does not count as fixed.", tone: "quiet" },
  removed: { word: "Removed", means: "No longer in the inventory: nothing can be said, so it does not count as fixed.", tone: "quiet" },
  not_assessed: { word: "Not assessed", means: "It cannot be judged any more, so it does not count as fixed.", tone: "warn" },
};
export const targetNames: readonly string[] = Object.keys(targets);
export const targetWord = (v: string): Word => targets[v] ?? { word: v, means: "", tone: "quiet" };

/** What an event of the history is called. */
export const eventWord = (v: string): string => ({ requested: "Requested", completed: "Completed", reopened: "Re-opened", edited: "Changed", turned: "Turned into another", ticket: "Ticket" })[v] ?? v;

export interface Counts {
  targets: number;
  fixed: number;
  exposed: number;
  silent: number;
  removed: number;
  not_assessed: number;
}

/** "2 fixed, 1 exposed, 1 silent": the parts that are there. */
export function progressWords(p: Counts): string {
  const parts: [number, string][] = [[p.fixed, "fixed"], [p.exposed, "exposed"], [p.silent, "silent"], [p.removed, "removed"], [p.not_assessed, "not assessed"]];
  return parts.filter(([n]) => n > 0).map(([n, w]) => `${n} ${w}`).join(", ") || "no targets";
}

/** Per cent of the targets that are fixed; 100 only when all are, 0 only when none is. */
export function percentFixed(p: Counts): number {
  if (p.targets === 0 || p.fixed === 0) return 0;
  return p.fixed === p.targets ? 100 : Math.min(99, Math.max(1, Math.round((100 * p.fixed) / p.targets)));
}

/** The day that is `days` after a moment, as the form and the API write it. */
export const dayAfter = (now: Date, days: number): string => new Date(now.getTime() + days * 86_400_000).toISOString().slice(0, 10);

export const kinds: readonly { kind: Kind; word: string; means: string }[] = [
  { kind: "webhook", word: "Webhook", means: "Signed JSON to an address of yours" },
  { kind: "email", word: "E-mail", means: "A message over your mail server (SMTP)" },
  { kind: "jira", word: "Jira", means: "An issue in a project, Cloud or Data Center" },
  { kind: "github", word: "GitHub issues", means: "An issue in a repository" },
  { kind: "servicenow", word: "ServiceNow", means: "A record through the Table API" },
];
export type Kind = "webhook" | "email" | "jira" | "github" | "servicenow";
export const kindWord = (k: string): string => kinds.find((x) => x.kind === k)?.word ?? k;
