import type { RecommendationRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { number } from "../../lib/format";

/** How many remediation activities are under way, as a link to them. */
export function ActivityCount({ r }: { r: RecommendationRow }) {
  if (r.remediation_activities === 0) return <>–</>;
  return <Anchor to="/remediation" search={{ recommendation: r.id, status: "Active" }}>{number(r.remediation_activities)}</Anchor>;
}
