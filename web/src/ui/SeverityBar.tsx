import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { shares } from "../lib/arc";
import { number } from "../lib/format";
import { countList, countWords, type Counts } from "../lib/words";
import { severityFill } from "./Severity";

const useStyles = makeStyles({
  root: { display: "flex", alignItems: "center", gap: "10px", width: "100%" },
  number: { fontVariantNumeric: "tabular-nums" },
  column: { minWidth: "38px", textAlign: "end" },
  none: { color: tokens.colorNeutralForeground3 },
  bar: { display: "flex", gap: "1px", flexGrow: 1, maxWidth: "120px", height: "8px", borderRadius: "4px", overflow: "hidden", backgroundColor: tokens.colorNeutralBackground6 },
  part: { height: "100%", forcedColorAdjust: "none" },
});

/** A number of weaknesses with a bar of its severities; in a column numbers stand below each other. */
export function SeverityBar({ total, counts, column }: { total: number; counts: Counts; column?: boolean }) {
  const s = useStyles();
  const list = countList(counts);
  const parts = shares(list.map(([, n]) => n), 0.06);
  return (
    <span className={s.root} title={countWords(counts)}>
      <span className={mergeClasses(s.number, column && s.column, total === 0 && s.none)}>{number(total)}</span>
      {total > 0 && (
        <span className={s.bar} role="img" aria-label={countWords(counts)}>
          {list.map(([level], i) => {
            const [from, to] = parts[i] ?? [0, 0];
            return to > from ? <span key={level} className={s.part} style={{ width: `${(to - from) * 100}%`, backgroundColor: severityFill[level] }} /> : null;
          })}
        </span>
      )}
    </span>
  );
}
