import { makeStyles, tokens } from "@fluentui/react-components";
import { alertSeverityWord, alertStatus, riskMeans, riskWord } from "../lib/alerts";
import type { Severity } from "../lib/words";
import { Chip } from "./Chip";
import { SeverityIcon } from "./Severity";

const useStyles = makeStyles({
  root: { display: "inline-flex", alignItems: "center", verticalAlign: "middle", gap: "8px", whiteSpace: "nowrap" },
  quiet: { color: tokens.colorNeutralForeground2 },
});

const icons: Record<string, Severity> = { High: "High", Medium: "Medium", Low: "Low" };

/** The severity of an alert: always icon, colour and word. */
export function AlertSeverity({ level }: { level: string }) {
  const s = useStyles();
  return <span className={s.root}><SeverityIcon level={icons[level] ?? "None"} />{alertSeverityWord(level)}</span>;
}

/** The status of an alert. */
export function AlertStatus({ value }: { value: string }) {
  const w = alertStatus(value);
  return <Chip tone={w.tone} title={w.means}>{w.word}</Chip>;
}

/** The risk level of a device: icon, colour and word, which is shorter in a column. */
export function RiskLevel({ level, column }: { level: string; column?: boolean }) {
  const s = useStyles();
  return (
    <span className={s.root} title={riskMeans(level)}>
      <SeverityIcon level={icons[level] ?? "None"} />
      {level === "None" ? <span className={s.quiet}>{column ? "None" : riskWord(level)}</span> : riskWord(level)}
    </span>
  );
}
