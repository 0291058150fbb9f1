import { AlertRegular, AppGenericRegular, CircleSmallRegular, DocumentRegular, GlobeRegular, PersonRegular } from "@fluentui/react-icons";
import { tokens } from "@fluentui/react-components";
import type { Tone } from "../../lib/timeline";

const icons: Record<Tone, typeof AlertRegular> = { process: AppGenericRegular, network: GlobeRegular, file: DocumentRegular, logon: PersonRegular, alert: AlertRegular, other: CircleSmallRegular };

/** A sign of an event's group. */
export function EventIcon({ tone, group }: { tone: Tone; group: string }) {
  const Icon = icons[tone];
  return <Icon aria-label={group} role="img" style={{ flexShrink: 0, fontSize: 18, color: tone === "alert" ? tokens.colorStatusDangerForeground1 : tokens.colorNeutralForeground2 }} />;
}
