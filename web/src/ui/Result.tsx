import { result } from "../lib/checks";
import { Chip } from "./Chip";

/** The result of a configuration check in a word, its meaning on hover. */
export function Result({ state, mitigated }: { state: string; mitigated?: boolean }) {
  const r = result(state);
  return mitigated ? <Chip tone="info" title={`${r.word}; an exception says that the risk is dealt with in another way, so it counts as passed.`}>Mitigated</Chip> : <Chip tone={r.tone} title={r.means}>{r.word}</Chip>;
}
