/** What each permission opens, in a few words. */
const opens: Record<string, string> = {
  "Machine.Read.All": "devices, groups and tags",
  "Machine.ReadWrite.All": "… and change tags, values, SBOM devices",
  "Software.Read.All": "software inventory, missing updates",
  "Vulnerability.Read.All": "weaknesses, findings, events, exports",
  "SecurityRecommendation.Read.All": "recommendations, exceptions, plans",
  "SecurityRecommendation.ReadWrite.All": "save and delete patch plans",
  "RemediationTasks.Read.All": "remediation activities",
  "RemediationTasks.ReadWrite.All": "… and request, complete, re-open them",
  "Score.Read.All": "exposure and secure scores",
  "AdvancedQuery.Read.All": "advanced hunting, in every table",
};

/** The words of a permission, by its name as applications or people have it. */
export const means = (name: string): string | undefined => opens[name] ?? opens[`${name.replace("RemediationTask.", "RemediationTasks.")}.All`];
