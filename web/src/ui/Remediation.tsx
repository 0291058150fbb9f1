import { makeStyles, tokens } from "@fluentui/react-components";
import { number } from "../lib/format";
import { percentFixed, progressWords, ticketWord, type Counts } from "../lib/remediation";
import { Chip, type Tone } from "./Chip";

const useStyles = makeStyles({
  root: { display: "flex", alignItems: "center", gap: "10px" },
  bar: { position: "relative", flexGrow: 1, minWidth: "60px", height: "8px", borderRadius: "4px", overflow: "hidden", display: "flex", backgroundColor: tokens.colorNeutralBackground6 },
  fixed: { forcedColorAdjust: "none", backgroundColor: tokens.colorStatusSuccessForeground1 },
  blind: { forcedColorAdjust: "none", backgroundColor: tokens.colorNeutralStroke1 },
  text: { fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap", fontSize: tokens.fontSizeBase200 },
  tall: { height: "12px", borderRadius: "6px" },
  quiet: { color: tokens.colorNeutralForeground3 },
});

/** How many targets are fixed, as a bar and in words; what cannot be said is grey. */
export function Progress({ row, tall }: { row: { tracked: boolean; progress: Counts }; tall?: boolean }) {
  const s = useStyles();
  const p = row.progress;
  if (!row.tracked) return <span className={s.quiet} title="There is no fix whose installation could be measured">Not tracked</span>;
  const share = (n: number) => `${p.targets > 0 ? (100 * n) / p.targets : 0}%`;
  return (
    <span className={s.root} title={`Of ${number(p.targets)} targets: ${progressWords(p)}`}>
      <span className={tall ? `${s.bar} ${s.tall}` : s.bar} role="progressbar" aria-label={`Progress: ${progressWords(p)}`} aria-valuenow={percentFixed(p)} aria-valuemin={0} aria-valuemax={100}>
        <span className={s.fixed} style={{ width: share(p.fixed) }} />
        <span style={{ width: share(p.exposed) }} />
        <span className={s.blind} style={{ width: share(p.silent + p.removed + p.not_assessed) }} />
      </span>
      <span className={s.text}>{`${number(p.fixed)} / ${number(p.targets)}`}</span>
    </span>
  );
}

const tones: Record<string, Tone | undefined> = { High: "bad", Medium: "warn", Low: "quiet" };

/** The priority of an activity. */
export function Priority({ value }: { value: string }) {
  return <Chip tone={tones[value] ?? "quiet"}>{value}</Chip>;
}

/** How an activity stands. */
export function RemediationStatus({ row }: { row: { status: string; completion_method: string } }) {
  const done = row.status === "Completed";
  return <Chip tone={done ? "good" : "info"} title={done ? (row.completion_method === "Automatic" ? "Every target is fixed, the devices say" : "Marked as completed by a person") : undefined}>{row.status}</Chip>;
}

/** The worst of an activity's tickets. */
export function TicketChip({ value }: { value: string }) {
  const s = useStyles();
  const w = ticketWord(value);
  if (value === "none") return <span className={s.quiet}>–</span>;
  return <Chip tone={w.tone} title={w.means}>{w.word}</Chip>;
}
