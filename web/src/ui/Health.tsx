import { makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkCircleFilled, ErrorCircleFilled, WarningFilled } from "@fluentui/react-icons";
import { health } from "../lib/words";

const useStyles = makeStyles({
  root: { display: "inline-flex", verticalAlign: "middle", gap: "6px", alignItems: "center" },
  icon: { display: "inline-flex", fontSize: "16px" },
});

/** The health of a device's sensor: icon, colour and word. */
export function Health({ value, connected }: { value: string; connected: boolean }) {
  const s = useStyles();
  const w = health(value);
  const Icon = w.tone === "bad" ? ErrorCircleFilled : w.tone === "warn" ? WarningFilled : CheckmarkCircleFilled;
  const color = w.tone === "bad" ? tokens.colorStatusDangerForeground1 : w.tone === "warn" ? tokens.colorStatusWarningForeground1 : tokens.colorStatusSuccessForeground1;
  return (
    <span className={s.root} title={`${w.means}${connected ? " Connected now." : " Not connected now."}`}>
      <span className={s.icon} style={{ color }} aria-hidden><Icon /></span>
      {w.word}
    </span>
  );
}
