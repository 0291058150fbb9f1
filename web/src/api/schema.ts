/** Short names for the shapes of the console API, which schema.gen.ts holds. */
import type { components } from "./schema.gen";

type S = components["schemas"];

/** One page of a filtered, ordered list. */
export interface Page<T> {
  items: T[];
  total: number;
  as_of: string;
}
export type ClosedRow = S["ClosedRow"];
export type Dashboard = S["Dashboard"];
export type DetectionLogic = S["DetectionLogic"];
export type Device = S["Device"];
export type DeviceCheckRow = S["DeviceCheckRow"];
export type DeviceRecommendationRow = S["DeviceRecommendationRow"];
export type DeviceRow = S["DeviceRow"];
export type DeviceScore = S["DeviceScore"];
export type DeviceSoftware = S["DeviceSoftware"];
export type DeviceSoftwareRow = S["DeviceSoftwareRow"];
export type DeviceVuln = S["DeviceVuln"];
export type DeviceVulnRow = S["DeviceVulnRow"];
export type EndOfLife = S["EndOfLife"];
export type EventCounts = S["EventCounts"];
export type EventDay = S["EventDay"];
export type EventDetail = S["EventDetail"];
export type EventRow = S["EventRow"];
export type FixRow = S["FixRow"];
export type FeedRow = S["FeedRow"];
export type Intel = S["Intel"];
export type JobRow = S["JobRow"];
export type LiveEvent = S["LiveEvent"];
export type Me = S["Me"];
export type NewTokenIn = S["NewTokenInBody"];
export type Notice = S["Notice"];
export type Onboarding = S["Onboarding"];
export type PackageRow = S["PackageRow"];
export type Plan = S["Plan"];
export type PlanGoalIn = S["DraftPlanInBody"];
export type PlanRow = S["PlanRow"];
export type PlanStep = S["PlanStep"];
export type Recommendation = S["Recommendation"];
export type RecommendationRow = S["RecommendationRow"];
export type ScoreTerm = S["ScoreTerm"];
export type SearchHit = S["SearchHit"];
export type SecureTrendPoint = S["SecureTrendPoint"];
export type SectionRow = S["SectionRow"];
export type Software = S["Software"];
export type SoftwareRow = S["SoftwareRow"];
export type Status = S["Status"];
export type Threats = S["Threats"];
export type TokenRow = S["TokenRow"];
export type TopDevice = S["TopDevice"];
export type TopSoftware = S["TopSoftware"];
export type TrendPoint = S["TrendPoint"];
export type VersionRow = S["VersionRow"];
export type Weakness = S["Weakness"];
export type WeaknessDetail = S["WeaknessDetail"];
export type WeaknessDevice = S["WeaknessDevice"];
export type WeaknessRow = S["WeaknessRow"];
export type WhatIf = S["WhatIf"];
export type WhatIfItem = S["WhatIfItem"];
