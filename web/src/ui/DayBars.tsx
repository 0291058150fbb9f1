import { makeStyles, tokens } from "@fluentui/react-components";
import { number } from "../lib/format";

const useStyles = makeStyles({
  box: { display: "block", width: "100%", height: "auto" },
  words: { fontSize: "11px", fill: tokens.colorNeutralForeground3 },
  none: { margin: 0, color: tokens.colorNeutralForeground2 },
});

const w = 480;
const h = 150;
const foot = 20;
const left = 34;

/** A number on each of the last days, today last: bars with the highest number at the side. */
export function DayBars({ days, label }: { days: readonly number[]; label: string }) {
  const s = useStyles();
  if (days.length < 2) return <p className={s.none}>{`${label} today: ${number(days[0] ?? 0)}. The trend is drawn from the second day on.`}</p>;
  const most = Math.max(...days, 1);
  const step = (w - left) / days.length;
  const first = days.length - 1;
  return (
    <svg className={s.box} viewBox={`0 0 ${w} ${h}`} role="img" aria-label={`${label} on the last ${days.length} days: ${number(days[0] ?? 0)} at first, ${number(days[first] ?? 0)} today, at most ${number(most)}`}>
      <line x1={left} x2={w} y1={h - foot} y2={h - foot} style={{ stroke: tokens.colorNeutralStroke2 }} />
      {days.map((n, i) => {
        const tall = (n / most) * (h - foot - 12);
        return (
          <rect key={i} x={left + i * step + step * 0.15} y={h - foot - tall} width={step * 0.7} height={tall} rx={2} style={{ fill: tokens.colorCompoundBrandBackground }}>
            <title>{`${i === first ? "Today" : `${first - i} days ago`}: ${number(n)}`}</title>
          </rect>
        );
      })}
      <text className={s.words} x={left - 6} y={16} textAnchor="end">{number(most)}</text>
      <text className={s.words} x={left - 6} y={h - foot} textAnchor="end">0</text>
      <text className={s.words} x={left} y={h - 5}>{`${first} days ago`}</text>
      <text className={s.words} x={w} y={h - 5} textAnchor="end">Today</text>
    </svg>
  );
}
