import { statusMeans, statusWord } from "../lib/machineActions";
import type { MachineAction } from "../api/schema";
import { Chip } from "../ui/Chip";

/** The state of an action as a chip; what waits says for what. */
export function ActionStatus({ action: a }: { action: Pick<MachineAction, "status" | "waits"> }) {
  if (a.waits) return <Chip tone="warn" title="Somebody else has to approve it first.">Waits for approval</Chip>;
  const [word, tone] = statusWord[a.status];
  return <Chip tone={tone} title={statusMeans(a.status, false) || undefined}>{word}</Chip>;
}
