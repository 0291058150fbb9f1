import { full } from "../../lib/exposure";

/** A part of a score to two decimals, all its digits on hover. */
export function Points({ value }: { value: number }) {
  return <span title={full(value)}>{value > 0 && value < 0.005 ? "< 0.01" : value.toFixed(2)}</span>;
}
