import { makeStyles, tokens } from "@fluentui/react-components";
import { full, impact, levelMeans, levelOf, levelWord, points, type Level } from "../lib/exposure";
import { Chip, type Tone } from "./Chip";
import { severityFill } from "./Severity";

/** The fill of a level in charts and bars. */
export const levelFill: Record<Level, string> = {
  High: severityFill.High,
  Medium: severityFill.Medium,
  Low: severityFill.Low,
  None: tokens.colorStatusSuccessForeground1,
  NoData: severityFill.None,
};

const bars: Record<Level, number> = { High: 3, Medium: 2, Low: 1, None: 0, NoData: 0 };

const useStyles = makeStyles({
  root: { display: "inline-flex", alignItems: "center", verticalAlign: "middle", gap: "8px", whiteSpace: "nowrap" },
  icon: { flexShrink: 0 },
  number: { fontVariantNumeric: "tabular-nums" },
  scale: { display: "flex", gap: "2px", position: "relative", height: "8px", width: "100%", maxWidth: "240px" },
  part: { height: "100%", borderRadius: "2px", forcedColorAdjust: "none" },
  mark: { position: "absolute", top: "-4px", bottom: "-4px", width: "4px", marginLeft: "-2px", borderRadius: "2px", forcedColorAdjust: "none", backgroundColor: tokens.colorNeutralForeground1, outline: `2px solid ${tokens.colorNeutralBackground1}` },
  ends: { display: "flex", justifyContent: "space-between", maxWidth: "240px", marginTop: "6px", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3, fontVariantNumeric: "tabular-nums" },
});

/** An exposure level: always icon, colour and word. `reason` says why there is none. */
export function ExposureLevel({ level, reason }: { level: string; reason?: string }) {
  const s = useStyles();
  const l = levelOf(level);
  return (
    <span className={s.root} title={reason || levelMeans(l)}>
      <svg className={s.icon} width="14" height="14" viewBox="0 0 14 14" aria-hidden focusable="false">
        {l === "None" ? (
          <circle cx="7" cy="7" r="5" style={{ fill: levelFill.None }} />
        ) : (
          [0, 1, 2].map((i) => (
            <rect key={i} x={i * 5 + 0.5} y={9 - i * 4} width="3.5" height={5 + i * 4} rx="1" style={{ fill: i < bars[l] ? levelFill[l] : tokens.colorNeutralBackground6, stroke: i < bars[l] ? "none" : tokens.colorNeutralStroke2, strokeWidth: 0.5 }} />
          ))
        )}
      </svg>
      {levelWord(l)}
    </span>
  );
}

const tones: Record<Level, Tone> = { High: "bad", Medium: "warn", Low: "good", None: "good", NoData: "quiet" };

/** An exposure level beside a name. */
export function ExposureChip({ level }: { level: string }) {
  const l = levelOf(level);
  return <Chip tone={tones[l]} title={levelMeans(l)}>{`Exposure level: ${levelWord(l)}`}</Chip>;
}

/** A score to one decimal, all its digits on hover. */
export function ScoreNumber({ value }: { value: number }) {
  const s = useStyles();
  return <span className={s.number} title={full(value)}>{points(value)}</span>;
}

/** What a score falls by, all its digits on hover. */
export function Impact({ value }: { value: number }) {
  const s = useStyles();
  return <span className={s.number} title={`${full(value)} points`}>{impact(value)}</span>;
}

/** Where a score stands between 0 and 100, over the three levels. */
export function ScoreScale({ value }: { value: number }) {
  const s = useStyles();
  const parts: [Level, number][] = [["Low", 30], ["Medium", 40], ["High", 30]];
  return (
    <div aria-hidden>
      <div className={s.scale}>
        {parts.map(([l, n]) => <span key={l} className={s.part} style={{ flexGrow: n, flexBasis: 0, backgroundColor: levelFill[l] }} />)}
        <span className={s.mark} style={{ left: `${value}%` }} />
      </div>
      <div className={s.ends}><span>0</span><span>100</span></div>
    </div>
  );
}
