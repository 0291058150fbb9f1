import { Button, Checkbox, Field, Input, ProgressBar, makeStyles, tokens } from "@fluentui/react-components";
import { DismissRegular, TargetArrowRegular } from "@fluentui/react-icons";
import { remedy } from "../../lib/exposure";
import type { PlanSearch } from "../../api/schema";
import { plural } from "../../lib/format";
import { searchWords } from "../../lib/plan";
import { Chip } from "../../ui/Chip";
import { Card } from "../../ui/Card";
import { limitProblem, planTypes, type PlanForm } from "./form";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "18px" },
  target: { display: "flex", gap: "12px", alignItems: "center" },
  slider: { flexGrow: 1, minWidth: 0, height: "20px", margin: 0, cursor: "pointer", accentColor: tokens.colorCompoundBrandBackground },
  number: { width: "86px" },
  two: { display: "flex", gap: "16px", "& > *": { flexGrow: 1, flexBasis: 0, minWidth: 0 } },
  limit: { width: "100%", minWidth: 0, "& > input": { minWidth: 0, width: "100%" } },
  group: { border: "none", margin: 0, padding: 0 },
  legend: { padding: 0, marginBottom: "2px" },
  types: { display: "flex", flexDirection: "column" },
  out: { display: "flex", flexWrap: "wrap", gap: "6px" },
  busy: { display: "flex", flexDirection: "column", gap: "10px" },
  go: { display: "flex", gap: "8px" },
  note: { margin: 0, color: tokens.colorNeutralForeground2, lineHeight: tokens.lineHeightBase300 },
});

const means = (target: number): string => (target <= 30 ? `A score below ${target} is low exposure.` : target <= 70 ? `A score below ${target} is medium exposure or lower.` : "");

export interface PlanFormProps {
  form: PlanForm;
  basket: number;
  names: Readonly<Record<string, string>>;
  scope: string;
  busy: boolean;
  progress: PlanSearch | undefined;
  onChange: (part: Partial<PlanForm>) => void;
  onGo: () => void;
  onCancel: () => void;
}

/** What a plan is to reach, and within which limits. */
export function PlanFormCard({ form, basket, names, scope, busy, progress, onChange, onGo, onCancel }: PlanFormProps) {
  const s = useStyles();
  const bad = limitProblem(form.restarts) !== "" || limitProblem(form.devices) !== "";
  return (
    <Card title={form.basket ? "Plan of the basket" : "Goal"}>
      <form className={s.form} onSubmit={(e) => { e.preventDefault(); if (!bad && !busy) onGo(); }}>
        <Field label="Bring the exposure score below" hint={means(form.target)}>
          <div className={s.target}>
            <input type="range" className={s.slider} min={0} max={100} step={1} value={Math.round(form.target)} aria-label="Target, as a slider" onChange={(e) => onChange({ target: Number(e.target.value) })} />
            <Input className={s.number} type="number" min={0} max={100} step="any" value={String(form.target)} aria-label="Target score" onChange={(_, d) => { const n = Number(d.value); if (d.value !== "" && n >= 0 && n <= 100) onChange({ target: Math.round(n * 1000) / 1000 }); }} />
          </div>
        </Field>
        <p className={s.note}>{scope}</p>
        {form.basket ? (
          <div className={s.out}>
            <Chip tone="info">{`${plural(basket, "recommendation")} of the basket`}</Chip>
            <Button size="small" onClick={() => onChange({ basket: false })}>Search instead</Button>
          </div>
        ) : (
          <>
            <div className={s.two}>
              <Field label="Restarts, at most" validationMessage={limitProblem(form.restarts) || undefined} hint="Devices that restart for certain">
                <Input className={s.limit} value={form.restarts} inputMode="numeric" placeholder="Any number" onChange={(_, d) => onChange({ restarts: d.value })} />
              </Field>
              <Field label="Devices, at most" validationMessage={limitProblem(form.devices) || undefined} hint="Devices that are touched">
                <Input className={s.limit} value={form.devices} inputMode="numeric" placeholder="Any number" onChange={(_, d) => onChange({ devices: d.value })} />
              </Field>
            </div>
            <fieldset className={s.group}>
              <legend className={s.legend}>Changes that may be made</legend>
              <div className={s.types}>
                {planTypes.map((t) => (
                  <Checkbox key={t} label={remedy(t).word} title={remedy(t).means} checked={form.types.includes(t)} onChange={() => { const next = form.types.includes(t) ? form.types.filter((x) => x !== t) : [...form.types, t]; if (next.length > 0) onChange({ types: next }); }} />
                ))}
              </div>
            </fieldset>
            {form.exclude.length > 0 && (
              <div role="group" aria-label="Not these">
                <div className={s.legend}>Not these</div>
                <div className={s.out}>
                  {form.exclude.map((id) => (
                    <Button key={id} size="small" icon={<DismissRegular />} iconPosition="after" aria-label={`Allow ${names[id] ?? id} again`} onClick={() => onChange({ exclude: form.exclude.filter((x) => x !== id) })}>{names[id] ?? id}</Button>
                  ))}
                </div>
              </div>
            )}
          </>
        )}
        {busy ? (
          <div className={s.busy} role="status">
            <span>{searchWords(progress)}</span>
            <ProgressBar value={progress && progress.of > 0 ? progress.done / progress.of : undefined} thickness="large" aria-label="Progress of the search" />
            <div className={s.go}><Button onClick={onCancel}>Cancel</Button></div>
          </div>
        ) : (
          <div className={s.go}><Button appearance="primary" type="submit" icon={<TargetArrowRegular />} disabled={bad || (form.basket && basket === 0)}>{form.basket ? "Predict" : "Find the smallest plan"}</Button></div>
        )}
      </form>
    </Card>
  );
}
