import { recommendationStatus } from "../lib/exception";
import { Chip } from "../ui/Chip";

/** How a recommendation stands to exceptions; what is active needs no chip, nor does a `plain` one. */
export function ExceptionMark({ status, plain }: { status: string; plain?: boolean }) {
  const w = recommendationStatus(status);
  return status === "Active" || plain ? <span title={w.means}>{w.word}</span> : <Chip tone={w.tone} title={w.means}>{w.word}</Chip>;
}
