import { recommendationStatus } from "../lib/exception";
import { Chip } from "../ui/Chip";

/** How a recommendation stands to exceptions; what is active needs no chip. */
export function ExceptionMark({ status }: { status: string }) {
  const w = recommendationStatus(status);
  return status === "Active" ? <span title={w.means}>{w.word}</span> : <Chip tone={w.tone} title={w.means}>{w.word}</Chip>;
}
