import { makeStyles, tokens } from "@fluentui/react-components";
import { shares } from "../lib/arc";
import { levelWord, type Level } from "../lib/exposure";
import { number } from "../lib/format";
import { levelFill } from "./Exposure";

const useStyles = makeStyles({
  root: { display: "grid", gridTemplateColumns: "48px 1fr", gap: "8px 12px", alignItems: "center" },
  when: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  bar: { display: "flex", gap: "2px", height: "14px", borderRadius: "4px", overflow: "hidden" },
  part: { height: "100%", forcedColorAdjust: "none" },
  words: { gridColumn: "2", display: "flex", flexWrap: "wrap", gap: "2px 16px", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, fontVariantNumeric: "tabular-nums", marginBottom: "4px" },
});

export interface Levels {
  high: number;
  medium: number;
  low: number;
  none: number;
}

const list = (l: Levels): [Level, number][] => [["High", l.high], ["Medium", l.medium], ["Low", l.low], ["None", l.none]];

function Bar({ when, levels }: { when: string; levels: Levels }) {
  const s = useStyles();
  const parts = list(levels);
  const at = shares(parts.map(([, n]) => n), 0.01);
  const words = parts.filter(([, n]) => n > 0).map(([l, n]) => `${levelWord(l)} ${number(n)}`);
  return (
    <>
      <span className={s.when}>{when}</span>
      <span className={s.bar} role="img" aria-label={`${when}: ${words.join(", ")}`}>
        {parts.map(([l], i) => {
          const [from, to] = at[i] ?? [0, 0];
          return to > from ? <span key={l} className={s.part} title={words[i]} style={{ width: `${(to - from) * 100}%`, backgroundColor: levelFill[l] }} /> : null;
        })}
      </span>
      <span className={s.words} aria-hidden>{words.map((w) => <span key={w}>{w}</span>)}</span>
    </>
  );
}

/** How many devices are at each level, before and after. */
export function LevelBar({ before, after }: { before: Levels; after: Levels }) {
  const s = useStyles();
  return (
    <div className={s.root}>
      <Bar when="Now" levels={before} />
      <Bar when="Then" levels={after} />
    </div>
  );
}
