import { remedy } from "../lib/exposure";
import { Chip } from "./Chip";

/** What kind of remediation a recommendation is, its meaning on hover. */
export function Remedy({ type }: { type: string }) {
  const w = remedy(type);
  return <Chip tone={w.tone === "bad" ? "info" : w.tone} title={w.means}>{w.word}</Chip>;
}
