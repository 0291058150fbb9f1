import { state } from "../lib/words";
import { Chip } from "./Chip";

/** The state of a finding in words, its meaning on hover. */
export function State({ value, exposed }: { value: string; exposed: boolean }) {
  const w = state(value);
  return (
    <Chip tone={exposed ? w.tone : "quiet"} title={`${w.means}${exposed ? "" : " Outside exposure."}`}>
      {w.word}
    </Chip>
  );
}
