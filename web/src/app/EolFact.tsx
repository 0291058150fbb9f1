import type { EndOfLife } from "../api/schema";
import { Fact } from "../ui/Facts";

/** What is known of a release cycle's end, in a sentence. */
export function eolWords(e: EndOfLife): string {
  const name = `${e.product} ${e.cycle}`.trim();
  const when = e.date ? (e.ended ? ` since ${e.date}` : ` on ${e.date}`) : "";
  const what = e.ended ? `${name} is out of support${when}` : e.date ? `${name} goes out of support${when}` : `${name} is supported`;
  return e.latest ? `${what}; latest ${e.latest}` : what;
}

/** The end of support of a product's cycle, nothing when it is not known. */
export function EolFact({ eol }: { eol: EndOfLife | null }) {
  return eol && <Fact name="End of support">{eolWords(eol)}</Fact>;
}
