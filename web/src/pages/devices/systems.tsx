import type { OSRow } from "../../api/schema";
import { date } from "../../lib/format";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Chip, type Tone } from "../../ui/Chip";

/** How long the release of an operating system is supported, in words. */
export const osLives: readonly (readonly [string, string])[] = [["ended", "Ended"], ["upcoming", "Ends within 6 months"], ["supported", "Supported"], ["unknown", "Not known"]];

const tones: Record<string, Tone> = { ended: "bad", upcoming: "warn", supported: "good" };

/** The support of a device's operating system. */
export function OSLife({ life, until }: { life: string; until: string }) {
  const word = osLives.find(([v]) => v === life)?.[1] ?? life;
  if (life === "unknown") return <>{word}</>;
  const day = until === "" ? "" : date(until);
  return <Chip tone={tones[life] ?? "quiet"} title={day === "" ? word : `${life === "ended" ? "Support ended" : "Support ends"} on ${day}`}>{word}</Chip>;
}

/** Platforms and versions that devices run, as filters; a version that several platforms have is one. */
export function osOptions(systems: readonly OSRow[]): Record<string, FilterGroup["options"]> {
  const platforms = [...new Set(systems.map((s) => s.os_platform))].filter(Boolean).slice(0, 40);
  const versions = new Map<string, string[]>();
  for (const s of systems) if (s.os_version) versions.set(s.os_version, [...(versions.get(s.os_version) ?? []), s.os_platform]);
  return {
    os: platforms.map((p) => ({ value: p, label: p })),
    os_version: [...versions].slice(0, 40).map(([v, of]) => ({ value: v, label: `${v} (${of.join(", ")})` })),
  };
}
