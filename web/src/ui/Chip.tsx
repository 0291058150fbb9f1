import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";

export type Tone = "bad" | "warn" | "good" | "info" | "quiet";

const useStyles = makeStyles({
  chip: {
    display: "inline-flex",
    alignItems: "center",
    gap: "4px",
    height: "22px",
    padding: "0 8px",
    boxSizing: "border-box",
    borderRadius: tokens.borderRadiusCircular,
    fontSize: tokens.fontSizeBase200,
    whiteSpace: "nowrap",
    border: "1px solid transparent",
    verticalAlign: "middle",
  },
  bad: { color: tokens.colorStatusDangerForeground1, backgroundColor: tokens.colorStatusDangerBackground1, border: `1px solid ${tokens.colorStatusDangerBorder1}` },
  warn: { color: tokens.colorStatusWarningForeground1, backgroundColor: tokens.colorStatusWarningBackground1, border: `1px solid ${tokens.colorStatusWarningBorder1}` },
  good: { color: tokens.colorStatusSuccessForeground1, backgroundColor: tokens.colorStatusSuccessBackground1, border: `1px solid ${tokens.colorStatusSuccessBorder1}` },
  info: { color: tokens.colorBrandForeground2, backgroundColor: tokens.colorBrandBackground2, border: `1px solid ${tokens.colorBrandStroke2}` },
  quiet: { color: tokens.colorNeutralForeground2, backgroundColor: tokens.colorNeutralBackground3, border: `1px solid ${tokens.colorNeutralStroke2}` },
});

/** A short word in a tone; the word itself carries the meaning. */
export function Chip({ tone, title, icon, children }: { tone: Tone; title?: string; icon?: ReactNode; children: ReactNode }) {
  const s = useStyles();
  return (
    <span className={mergeClasses(s.chip, s[tone])} title={title}>
      {icon}
      {children}
    </span>
  );
}

const tones: Record<string, Tone> = { "EOS software": "bad", "EOS version": "bad", "Upcoming EOS version": "warn", "Upcoming EOS software": "warn", "Zero day": "bad", "New security update for zero day": "info", "Restart needed": "warn", "Update available": "info", "No security update": "warn", "Some updates available": "info" };

/** Tags in the width of a column of a list; the whole tag is their title. */
const shorts: Record<string, string> = { "EOS version": "EOS", "EOS software": "EOS all", "Upcoming EOS version": "EOS soon", "Upcoming EOS software": "EOS soon", "New security update for zero day": "0-day fix" };

/** The tags of a row of a list: the first, and how many more there are; `short` in a word or two. */
export function FirstTag({ tags, short }: { tags: readonly string[]; short?: boolean }) {
  const [first, ...more] = tags;
  if (first === undefined) return null;
  return (
    <span style={{ display: "inline-flex", gap: 4, verticalAlign: "middle" }}>
      <Chip tone={tones[first] ?? "quiet"} title={first}>{short ? (shorts[first] ?? first) : first}</Chip>
      {more.length > 0 && <Chip tone="quiet" title={tags.join(", ")}>{`+${more.length}`}</Chip>}
    </span>
  );
}

/** The tags of a row, with what they say on hover. */
export function Tags({ tags, title }: { tags: readonly string[]; title?: string }) {
  if (tags.length === 0) return null;
  return (
    <span style={{ display: "inline-flex", gap: 6, verticalAlign: "middle", flexWrap: "wrap" }}>
      {tags.map((t) => (
        <Chip key={t} tone={tones[t] ?? "quiet"} title={title}>{t}</Chip>
      ))}
    </span>
  );
}
