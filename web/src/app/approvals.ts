/** Words of requests that somebody else has to approve. */
import type { Tone } from "../ui/Chip";
import type { ApprovalRow, ApprovalRule, DeviceGroup } from "../api/schema";

export const approvalStates: Record<ApprovalRow["state"], readonly [string, Tone]> = {
  pending: ["Waiting", "warn"], approved: ["Approved", "info"], running: ["Being carried out", "info"], done: ["Carried out", "good"], failed: ["Failed", "bad"],
  refused: ["Refused", "bad"], withdrawn: ["Withdrawn", "quiet"], expired: ["Expired", "quiet"], cancelled: ["Cancelled by lockdown", "quiet"],
};

/** What a request is about: its devices, or the rules. */
export function approvalSubject(r: Pick<ApprovalRow, "devices" | "kind">): string {
  if (r.kind === "approval-policy") return "Rules of approval";
  const [first, ...more] = r.devices;
  return first === undefined ? "" : more.length === 0 ? first.name : `${first.name} and ${String(more.length)} more`;
}

/** A rule in a sentence. */
export function ruleText(r: ApprovalRule, kinds: readonly { id: string; name: string }[], groups: readonly Pick<DeviceGroup, "id" | "name">[]): string {
  const actions = r.all_actions ? "Every action" : r.actions.map((id) => kinds.find((k) => k.id === id)?.name ?? id).join(", ");
  const where = r.all_devices ? "all devices" : r.groups.map((id) => groups.find((g) => g.id === id)?.name ?? `group ${String(id)}`).join(", ");
  return `${actions} on ${where}`;
}
