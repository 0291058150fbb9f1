/** Rows as the server gives them; a test says what is special about its own. */
import type { Dashboard, Device, DeviceRow, EventRow, Plan, Recommendation, RecommendationRow, Software, SoftwareRow, Threats } from "../api/schema";

export const threats: Threats = { epss: 0, alerts: 0, exploit: "NoExploit", kev: false, ransomware: false };
export const at = "2026-11-20T10:00:00Z";

export const recommendationRow = (n: number, more: Partial<RecommendationRow> = {}): RecommendationRow => ({
  id: `va-_-debian-_-thing-${n}`, name: `Update thing-${n}`, component: `thing-${n}`, vendor: "debian", version: "", type: "Update", category: "", subcategory: "", productivity: false, ecosystem: "Debian", product_id: `debian-_-thing-${n}`, product_code: "",
  weaknesses: 3, severity: { critical: 1, high: 2, medium: 0, low: 0, unrated: 0 }, threats, exposed: n, exposed_after: n, installed: 40, trend: [], os_platforms: ["Debian"], status: "Active", tags: [],
  impact: 1.5, impact_num: "45", impact_den: 30, impact_after: 1.5, impact_after_num: "45", secure_gain: 0, check_impact: 0, remediation_activities: 0, ...more,
});

export const recommendationDetail = (n: number, more: Partial<Recommendation> = {}): Recommendation => ({
  ...recommendationRow(n), as_of: at, description: `thing-${n} has known weaknesses that an update fixes.`, lines: [], supported: [], fixes: [], not_assessed: 0, references: [], steps: [`Bring thing-${n} to 2.0.`], user_impact: "", ...more,
});

export const deviceRow = (n: number, more: Partial<DeviceRow> = {}): DeviceRow => ({
  id: `d${n}`, name: `host-${n}`, domain: "", os_platform: "Debian", os_version: "12", os_name: "Debian GNU/Linux 12", os_life: "supported", os_until: "", arch: "amd64", health: "Active", connected: true, ip: "", mac: "", first_seen: at, last_seen: at,
  software: 0, weaknesses: 0, severity: { critical: 0, high: 0, medium: 0, low: 0, unrated: 0 }, fixable: 0, exploitable: 0, kev: 0, gaps: 0, score: 12, exposure: "Low", no_data: "", value: "Normal", risk: "None", alerts: 0, tags: [], group_id: 0, group: "", source: "agent", managed_by: "picket", internet_facing: "not_assessed", internet_facing_why: "", isolated: false, exclusion: null, ...more,
});

export const deviceDetail = (n: number, more: Partial<Device> = {}): Device => ({
  ...deviceRow(n), agent_version: "1.0", clones: [], dropped: 0, fqdn: `host-${n}.example`, gap_list: [], hardware: {}, interfaces: [], isolation: null, kernel: { release: "6.1", version: "6.1", machine: "x86_64" }, logons: [], not_assessed: 0, os_support: null, restart: [], sbom: null,
  sections: [], security_updates: 0, states: {}, tag_list: [], top_weaknesses: [], updates: 0, users: [], ...more,
});

export const eventRow = (n: number, more: Partial<EventRow> = {}): EventRow => ({
  id: String(n), at, kind: "NewVulnerability", title: `thing-${n} has 1 new vulnerability`, detail: "", component: `thing-${n}`, product_id: `debian-_-thing-${n}`, recommendation_id: "", vendor: "debian", check: "", link: "",
  impacted: 5, counted: 40, share: 12.5, current: 4, current_of: 40, current_share: 10, weaknesses: 1, severity: "High", threats, score: { score: "exposure", before: 40, after: 41, trend: "up", version: 2 }, ...more,
});

export const softwareRow = (n: number, more: Partial<SoftwareRow> = {}): SoftwareRow => ({
  id: `debian-_-thing-${n}`, name: `thing-${n}`, vendor: "debian", ecosystem: "Debian", product_code: "", weaknesses: 3, severity: { critical: 1, high: 2, medium: 0, low: 0, unrated: 0 }, threats, exposed: 2, installed: 4,
  impact: 0.5, versions: 1, tags: [], trend: [], not_assessed: "", ...more,
});

export const softwareDetail = (n: number, more: Partial<Software> = {}): Software => ({
  ...softwareRow(n), checks: [], misconfigured: { critical: 0, high: 0, medium: 0, low: 0, unrated: 0 }, distribution: [], eol: [], event_days: [], ...more,
});

const nothing = { critical: 0, high: 0, medium: 0, low: 0, unrated: 0 };
export const unweak: Partial<RecommendationRow> = { weaknesses: 0, severity: nothing };

/** A dashboard on which nothing is known to be wrong. */
export const calm = (more: Partial<Dashboard> = {}): Dashboard => ({
  score: { score: 0, num: "0", den: 3, level: "None", devices: 3, levels: { high: 0, medium: 0, low: 0, none: 3 }, version: 2, weights: "Low 0.75, Normal 1, High automatic", as_of: at },
  secure: { category: "", got: 0, max: 0, per_cent: 0, categories: [], version: 1, as_of: at },
  trend: [], event_days: [], secure_trend: [], check_days: [], top_events: [], recommendations: [], recommendation_count: 0, software: [], devices: [], remediations: [], remediation_count: 0,
  weaknesses: 0, exploitable: 0, kev: 0, ...more,
});

/** A plan of one step that reaches its target. */
export const planOf = (more: Partial<Plan> = {}): Plan => {
  const score = (n: number) => ({ score: n, num: String(n), den: 1, level: "Medium" });
  return {
    id: "", draft: "d1", name: "", created_at: at, created_by: "admin", all_devices: true, groups: [], group_names: [], version: 2, weights: "Low 0.75, Normal 1, High automatic", goal: { target: 30, types: ["Update"], exclude: [], recommendations: [], max_restarts: null, max_devices: null },
    before: score(45), predicted: score(28), reached: true, searched: true, lowest: true, fewest: 1, considered: 9, available: 9, devices: 4, restarts: 1, scored: 30, actual: null,
    steps: [{ id: "va-_-debian-_-thing-1", name: "Update thing-1", order: 1, type: "Update", exposed: 4, devices: 4, restarts: 1, fall: 17, after: score(28), remaining: 4, state: "Open", activity: "", activity_status: "" }],
    ...more,
  };
};
