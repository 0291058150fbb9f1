import { makeStyles, tokens } from "@fluentui/react-components";
import { number } from "../lib/format";
import { TrendDot, type TrendMark } from "./TrendDot";

const useStyles = makeStyles({
  root: { position: "relative" },
  box: { display: "block", width: "100%", height: "auto" },
  words: { fontSize: "11px", fill: tokens.colorNeutralForeground3 },
});

const w = 480;
const h = 150;
const foot = 20;
const left = 34;
const slots = 30; // that fewer days leave empty
const oneDay = 86_400_000;

/** A number on each of the last days (UTC), today last: bars with the highest number at the side, and dots on days on which something happened. `now` is a moment of the last day, in ms. */
export function DayBars({ days, label, now, marks }: { days: readonly number[]; label: string; now: number; marks: readonly TrendMark[] }) {
  const s = useStyles();
  const most = Math.max(...days, 1);
  const first = days.length - 1;
  const step = (w - left) / Math.max(days.length, slots);
  const x = (i: number): number => w - (days.length - i) * step;
  const tall = (n: number): number => (n / most) * (h - foot - 18);
  return (
    <div className={s.root}>
      <svg className={s.box} viewBox={`0 0 ${w} ${h}`} role="img" aria-label={`${label} on the last ${days.length} days: ${number(days[0] ?? 0)} at first, ${number(days[first] ?? 0)} today, at most ${number(most)}`}>
        <line x1={left} x2={w} y1={h - foot} y2={h - foot} style={{ stroke: tokens.colorNeutralStroke2 }} />
        {days.map((n, i) => (
          <rect key={i} x={x(i) + step * 0.15} y={h - foot - tall(n)} width={step * 0.7} height={tall(n)} rx={2} style={{ fill: tokens.colorCompoundBrandBackground }}>
            <title>{`${i === first ? "Today" : `${first - i} days ago`}: ${number(n)}`}</title>
          </rect>
        ))}
        <text className={s.words} x={left - 6} y={22} textAnchor="end">{number(most)}</text>
        <text className={s.words} x={left - 6} y={h - foot} textAnchor="end">0</text>
        {first > 6 && <text className={s.words} x={x(0)} y={h - 5}>{`${first} days ago`}</text>}
        <text className={s.words} x={w} y={h - 5} textAnchor="end">Today</text>
      </svg>
      {marks.map((m) => {
        const i = first - (Math.floor(now / oneDay) - Math.floor(m.at / oneDay));
        const n = days[i];
        return n !== undefined && <TrendDot key={m.at} mark={m} left={(x(i) + step / 2) / w} top={(h - foot - tall(n)) / h} />;
      })}
    </div>
  );
}
