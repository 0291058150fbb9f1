import { remedy } from "../lib/exposure";
import { Chip } from "./Chip";

/** What kind of remediation a recommendation is, its meaning on hover; `plain` in a narrow column. */
export function Remedy({ type, plain }: { type: string; plain?: boolean }) {
  const w = remedy(type);
  if (plain) return <span title={w.means}>{w.word}</span>;
  return <Chip tone={w.tone === "bad" ? "info" : w.tone} title={w.means}>{w.word}</Chip>;
}
