import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { severityWord, type Severity as Level } from "../lib/words";

/** The fill of a severity in charts and bars; each theme has its own (app/theme.ts). */
export const severityFill: Record<Level, string> = {
  Critical: "var(--colorSeverityCritical)",
  High: "var(--colorSeverityHigh)",
  Medium: "var(--colorSeverityMedium)",
  Low: "var(--colorSeverityLow)",
  None: "var(--colorSeverityNone)",
};

const bars: Record<Level, number> = { Critical: 4, High: 3, Medium: 2, Low: 1, None: 0 };

const useStyles = makeStyles({
  root: { display: "inline-flex", alignItems: "center", verticalAlign: "middle", gap: "8px", whiteSpace: "nowrap" },
  icon: { flexShrink: 0 },
  strong: { fontWeight: tokens.fontWeightSemibold },
});

/** The severity's icon: one to four bars in its colour. */
export function SeverityIcon({ level }: { level: Level }) {
  const s = useStyles();
  return (
    <svg className={s.icon} width="16" height="14" viewBox="0 0 16 14" aria-hidden focusable="false">
      {[0, 1, 2, 3].map((i) => (
        <rect
          key={i}
          x={i * 4 + 0.5}
          y={10 - i * 3}
          width="3"
          height={4 + i * 3}
          rx="1"
          style={{ fill: i < bars[level] ? severityFill[level] : tokens.colorNeutralBackground6, stroke: i < bars[level] ? "none" : tokens.colorNeutralStroke2, strokeWidth: 0.5 }}
        />
      ))}
    </svg>
  );
}

/** A severity: always icon, colour and word. */
export function Severity({ level }: { level: Level }) {
  const s = useStyles();
  return (
    <span className={mergeClasses(s.root, level === "Critical" && s.strong)}>
      <SeverityIcon level={level} />
      {severityWord[level]}
    </span>
  );
}
