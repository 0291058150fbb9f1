import { Field, Input, Radio, RadioGroup, Textarea, makeStyles } from "@fluentui/react-components";
import { priorityNames } from "../lib/remediation";

const useStyles = makeStyles({ pair: { display: "grid", gridTemplateColumns: "1fr 1fr", gap: "20px" } });

/** What is said of work that is asked for; `due` is a day or "". */
export interface Work {
  priority: string;
  due: string;
  notes: string;
}

/** Priority, due date and notes of remediation; undated work has no due date. */
export function WorkFields({ work, dated, onChange }: { work: Work; dated: boolean; onChange: (part: Partial<Work>) => void }) {
  const s = useStyles();
  const today = new Date().toISOString().slice(0, 10);
  return (
    <>
      <div className={s.pair}>
        <Field label="Priority">
          <RadioGroup layout="horizontal" value={work.priority} onChange={(_, d) => onChange({ priority: d.value })}>
            {priorityNames.map((p) => <Radio key={p} value={p} label={p} />)}
          </RadioGroup>
        </Field>
        {dated && (
          <Field label="Due date" hint="Leave empty for none.">
            <Input type="date" value={work.due} min={work.due !== "" && work.due < today ? work.due : today} onChange={(_, d) => onChange({ due: d.value })} />
          </Field>
        )}
      </div>
      <Field label="Notes">
        <Textarea value={work.notes} maxLength={4000} rows={3} placeholder="What whoever does it should know" onChange={(_, d) => onChange({ notes: d.value })} />
      </Field>
    </>
  );
}
