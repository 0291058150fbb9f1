import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkCircleFilled, DismissRegular, WarningFilled } from "@fluentui/react-icons";
import type { Plan, PlanStep } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { number } from "../../lib/format";
import { bound, verdict } from "../../lib/plan";
import { Chip } from "../../ui/Chip";
import { Impact, ScoreNumber } from "../../ui/Exposure";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Remedy } from "../../ui/Remedy";
import { StepChart } from "../../ui/StepChart";

const useStyles = makeStyles({
  verdict: { display: "flex", gap: "10px", alignItems: "flex-start", margin: "0 0 6px", fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold },
  icon: { fontSize: "22px", flexShrink: 0, display: "flex" },
  good: { color: tokens.colorStatusSuccessForeground1 },
  bad: { color: tokens.colorStatusWarningForeground1 },
  bound: { margin: "0 0 4px 32px", color: tokens.colorNeutralForeground2, lineHeight: tokens.lineHeightBase300, maxWidth: "680px" },
  chart: { marginTop: "16px" },
});

/** What a plan comes to, and what is proven of it. */
export function Verdict({ p }: { p: Plan }) {
  const s = useStyles();
  const v = verdict(p);
  return (
    <div role="status">
      <p className={s.verdict}>
        <span className={`${s.icon} ${v.good ? s.good : s.bad}`} aria-hidden>{v.good ? <CheckmarkCircleFilled /> : <WarningFilled />}</span>
        {v.text}
      </p>
      {bound(p).map((t) => <p key={t} className={s.bound}>{t}</p>)}
    </div>
  );
}

/** The score after each step of a plan. */
export function PlanChart({ p }: { p: Plan }) {
  const s = useStyles();
  if (p.steps.length === 0) return null;
  return (
    <div className={s.chart}>
      <StepChart before={p.before.score} target={p.goal.target} actual={p.actual?.score.score} steps={p.steps.map((t) => ({ key: t.id, name: t.name, score: t.after.score, done: t.state === "Done" }))} />
    </div>
  );
}

const states = { Done: "good", "In progress": "info", Open: "quiet" } as const;

function State({ step }: { step: PlanStep }) {
  return <Chip tone={states[step.state as keyof typeof states]} title={`${number(step.remaining)} of ${number(step.exposed)} devices still have it`}>{step.state}</Chip>;
}

const order: PlainColumn<PlanStep> = { key: "order", title: "Step", width: "7%", render: (t) => t.order };
const name: PlainColumn<PlanStep> = { key: "name", title: "Recommendation", render: (t) => <Anchor to="/recommendations" search={{ open: t.id }}>{t.name}</Anchor> };
const after: PlainColumn<PlanStep> = { key: "after", title: "Score after", width: "12%", align: "end", render: (t) => <ScoreNumber value={t.after.score} /> };
const fall: PlainColumn<PlanStep> = { key: "fall", title: "Falls by", width: "11%", align: "end", render: (t) => <Impact value={t.fall} /> };

/** The steps of a plan that is not saved yet; `onExclude` leaves one out and searches again. */
export function DraftSteps({ p, onExclude }: { p: Plan; onExclude?: (step: PlanStep) => void }) {
  const columns: PlainColumn<PlanStep>[] = [
    order, name,
    { key: "type", title: "Type", width: "17%", render: (t) => <Remedy type={t.type} /> },
    { key: "exposed", title: "Devices", width: "10%", align: "end", render: (t) => number(t.exposed) },
    { key: "restarts", title: "Restarts so far", width: "11%", align: "end", render: (t) => number(t.restarts) },
    fall, after,
  ];
  if (onExclude) columns.push({ key: "out", title: "Not this", width: "9%", align: "end", render: (t) => <Button size="small" appearance="subtle" icon={<DismissRegular />} aria-label={`Plan without ${t.name}`} title="Plan without this one" onClick={() => onExclude(t)} /> });
  return <PlainTable label="Steps of the plan" columns={columns} rows={p.steps} rowKey={(t) => t.id} middle />;
}

/** The steps of a saved plan with what became of them. */
export function SavedSteps({ p }: { p: Plan }) {
  const columns: PlainColumn<PlanStep>[] = [
    order, name,
    { key: "state", title: "State now", width: "15%", render: (t) => <State step={t} /> },
    { key: "activity", title: "Remediation", width: "15%", render: (t) => t.activity !== "" ? <Anchor to="/remediation" search={{ open: t.activity }}>{t.activity_status}</Anchor> : "–" },
    { key: "left", title: "Devices left", width: "14%", align: "end", render: (t) => (t.remaining > t.exposed ? `${number(t.remaining)} (was ${number(t.exposed)})` : `${number(t.remaining)} / ${number(t.exposed)}`) },
    { ...after, title: "Predicted", width: "12%" },
  ];
  return <PlainTable label="Steps of the plan" columns={columns} rows={p.steps} rowKey={(t) => t.id} middle />;
}
