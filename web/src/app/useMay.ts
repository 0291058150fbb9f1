import { useQuery } from "@tanstack/react-query";
import { session } from "../api/queries";
import type { Me } from "../api/schema";

/** What roles may hold, as the API names it; `administrator` is the role itself. */
export type Right =
  | "view.security-operations" | "view.vulnerability-management" | "remediate.security-operations" | "remediate.exceptions" | "remediate.remediation" | "remediate.applications"
  | "baselines.manage" | "alerts.investigate" | "settings.security" | "live-response.basic" | "live-response.advanced" | "administrator";

const words: Record<Right, string> = {
  "view.security-operations": "View data: security operations", "view.vulnerability-management": "View data: vulnerability management", "remediate.security-operations": "Active remediation: security operations",
  "remediate.exceptions": "Active remediation: exception handling", "remediate.remediation": "Active remediation: remediation handling", "remediate.applications": "Active remediation: application handling",
  "baselines.manage": "Security baselines", "alerts.investigate": "Alerts investigation", "settings.security": "Manage security settings", "live-response.basic": "Live response: basic",
  "live-response.advanced": "Live response: advanced", administrator: "Administrator",
};

/** Whether somebody holds one of some rights. */
export const may = (me: Pick<Me, "administrator" | "permissions"> | null | undefined, ...anyOf: readonly Right[]): boolean =>
  me?.administrator === true || anyOf.some((r) => me?.permissions.includes(r) === true);

/**
 * Whether the person who is signed in may do what one of these rights opens, and
 * in words why not, "" when it is so: for the title of a button that is disabled.
 */
export function useMay(...anyOf: readonly Right[]): { may: boolean; why: string } {
  const { data: me } = useQuery(session);
  const yes = may(me, ...anyOf);
  return { may: yes, why: yes ? "" : `Your roles do not allow this: it takes ${anyOf.map((r) => `“${words[r]}”`).join(" or ")}.` };
}
