import { makeStyles, tokens } from "@fluentui/react-components";
import { course, spark } from "../lib/events";

const useStyles = makeStyles({
  root: { display: "inline-block", verticalAlign: "middle", flexShrink: 0 },
  none: { color: tokens.colorNeutralForeground3 },
});

const h = 18;

/** Counts over days as a small graph: red when it went to the worse, green when to the better. `good` is the way to the better; before there is a trend a dash, unless it is `bare`. */
export function MiniTrend({ counts, what, good = "falling", digits = 0, width: w = 56, bare }: { counts: readonly number[]; what: string; good?: "falling" | "rising"; digits?: number; width?: number; bare?: boolean }) {
  const s = useStyles();
  const first = counts[0];
  const last = counts[counts.length - 1];
  if (first === undefined || last === undefined || counts.length < 2) {
    if (bare) return null;
    return <span className={s.none} role="img" aria-label={`${what}: no trend yet`} title="The trend is drawn from the second day on">–</span>;
  }
  const way = course(counts);
  const says = way === "level" ? `${what}: ${last.toFixed(digits)}, as ${counts.length} days ago` : `${what}: ${way} from ${first.toFixed(digits)} to ${last.toFixed(digits)} over ${counts.length} days`;
  const color = way === "level" ? tokens.colorNeutralForeground3 : way === good ? tokens.colorPaletteGreenForeground1 : tokens.colorPaletteRedForeground1;
  return (
    <svg className={s.root} width={w} height={h} viewBox={`-2 -2 ${w + 4} ${h + 4}`} role="img" aria-label={says}>
      <title>{says}</title>
      <path d={spark(counts, w, h)} style={{ fill: "none", stroke: color, strokeWidth: 1.75, strokeLinejoin: "round", strokeLinecap: "round" }} />
    </svg>
  );
}
