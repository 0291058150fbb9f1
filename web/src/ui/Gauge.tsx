import { makeStyles, tokens } from "@fluentui/react-components";
import { ring } from "../lib/arc";
import { full, points, type Level } from "../lib/exposure";
import { levelFill } from "./Exposure";

const useStyles = makeStyles({
  root: { display: "block", maxWidth: "100%" },
  big: { fontSize: "21px", fontWeight: 600, fill: tokens.colorNeutralForeground1 },
  small: { fontSize: "7.5px", fill: tokens.colorNeutralForeground3 },
  fall: { fill: tokens.colorNeutralBackground1, fillOpacity: 0.72 },
});

const parts: [Level, number, number][] = [["Low", 0, 30], ["Medium", 30, 70], ["High", 70, 100]];
/** Share of the whole circle at which a score stands on the half that is drawn. */
const at = (score: number): number => Math.max(0, Math.min(100, score)) / 200 - 0.25;

function Hand({ score, strong }: { score: number; strong?: boolean }) {
  const a = at(score) * 2 * Math.PI;
  const p = (r: number): [string, string] => [(r * Math.sin(a)).toFixed(2), (-r * Math.cos(a)).toFixed(2)];
  const [x1, y1] = p(strong ? 30 : 34);
  const [x2, y2] = p(strong ? 51 : 49);
  return <line x1={x1} y1={y1} x2={x2} y2={y2} style={{ stroke: strong ? tokens.colorNeutralForeground1 : tokens.colorNeutralForeground3, strokeWidth: strong ? 3 : 1.6, strokeLinecap: "round" }} />;
}

/** A score that falls, on the half circle of the three levels: a thin hand where it was, a thick one where it comes to. */
export function Gauge({ before, after, label, size = 220 }: { before: number; after: number; label: string; size?: number }) {
  const s = useStyles();
  return (
    <svg className={s.root} width={size} height={size * 0.6} viewBox="-56 -54 112 67" role="img" aria-label={`${label}: from ${points(before)} to ${points(after)} of 100`}>
      <title>{`${full(before)} → ${full(after)}`}</title>
      {parts.map(([l, from, to]) => <path key={l} d={ring(at(from) + 0.002, at(to) - 0.002, 48, 36)} style={{ fill: levelFill[l] }} />)}
      {before > after && <path className={s.fall} d={ring(at(after), at(before), 48, 36)} />}
      <Hand score={before} />
      <Hand score={after} strong />
      <text className={s.big} x="0" y="-4" textAnchor="middle">{points(after)}</text>
      <text className={s.small} x="0" y="6" textAnchor="middle">{`was ${points(before)}`}</text>
    </svg>
  );
}
