/** What an actor is, in words. */
export const auditKinds: Record<"person" | "application" | "local" | "agent" | "nobody", string> = { person: "Person", application: "Application", local: "Command on the server", agent: "Agent of a device", nobody: "Nobody signed in" };

const words: Record<string, string> = {
  redeem: "Sign in by link", "sign-in": "Sign in", "sign-out": "Sign out", "issue-token": "Get a token", "sign-in-link": "Make a sign-in link", "app create": "Create application", "app rotate": "Add application secret", "app delete": "Delete application", "app rotate-key": "Rotate signing key",
  "intel import": "Import intelligence", "intel sync": "Sync intelligence", "import-sbom": "Import SBOM", "import-vex": "Import VEX", "remove-vex": "Remove VEX", "enrol-osquery": "Enrol osquery",
};

/** An operation in words: "set-device-value" is "Set device value". */
export function auditAction(action: string): string {
  const known = words[action];
  if (known !== undefined) return known;
  if (action.startsWith("defender ")) return `API: ${action.slice("defender ".length)}`;
  const text = action.replaceAll("-", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** One changed field of an entry's detail. */
export interface AuditChange {
  field: string;
  before: string;
  after: string;
}

const shown = (v: unknown): string => (v === undefined || v === null ? "" : typeof v === "string" ? v : JSON.stringify(v));
const fields = (v: unknown): Record<string, unknown> => (typeof v === "object" && v !== null && !Array.isArray(v) ? (v as Record<string, unknown>) : { value: v });

/** What an entry says has changed, field by field; fields that stayed as they were are left out. */
export function auditChanges(detail: unknown): AuditChange[] {
  if (typeof detail !== "object" || detail === null) return [];
  const d = detail as { before?: unknown; after?: unknown };
  if (d.before === undefined && d.after === undefined) return [];
  const before = d.before === undefined ? {} : fields(d.before);
  const after = d.after === undefined ? {} : fields(d.after);
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((field) => ({ field, before: shown(before[field]), after: shown(after[field]) }))
    .filter((c) => c.before !== c.after);
}
