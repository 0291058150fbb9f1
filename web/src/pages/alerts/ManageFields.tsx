import { Button, Field, Input, Select, Textarea, makeStyles } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import type { AlertEdit } from "../../api/schema";
import { session } from "../../api/queries";
import { alertStatus, alertStatuses, classification, classifications, determinations, spaced } from "../../lib/alerts";

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", gap: "16px" },
  pair: { display: "grid", gridTemplateColumns: "1fr 1fr", gap: "16px" },
  assign: { display: "flex", gap: "8px", "& > span": { flexGrow: 1, minWidth: 0 } },
});

/** What is to be changed of alerts; what is undefined stays as it is. */
export type Draft = Pick<AlertEdit, "status" | "assigned_to" | "classification" | "determination"> & { comment: string };

const keep = "(keep)";
const orKeep = (v: string): string | undefined => (v === keep ? undefined : v);

/** Status, assignment, classification and a comment of alerts. `many` offers to leave each as it is. */
export function ManageFields({ draft, many, onChange }: { draft: Draft; many?: boolean; onChange: (d: Draft) => void }) {
  const s = useStyles();
  const { data: self } = useQuery(session);
  const fits = draft.classification ? (determinations[draft.classification] ?? []) : [...new Set(Object.values(determinations).flat())];
  const stay = many && <option value={keep}>Leave as it is</option>;
  return (
    <div className={s.root}>
      <Field label="Status">
        <Select value={draft.status ?? keep} onChange={(_, d) => onChange({ ...draft, status: orKeep(d.value) as Draft["status"] })}>
          {stay}
          {alertStatuses.map((v) => <option key={v} value={v}>{alertStatus(v).word}</option>)}
        </Select>
      </Field>
      <Field label="Assigned to" hint={many && draft.assigned_to === undefined ? "Left as it is." : "Empty: nobody."}>
        <div className={s.assign}>
          <Input aria-label="Assigned to" value={draft.assigned_to ?? ""} maxLength={200} onChange={(_, d) => onChange({ ...draft, assigned_to: d.value })} />
          {self && <Button onClick={() => onChange({ ...draft, assigned_to: self.username })}>Assign to me</Button>}
          {many && <Button onClick={() => onChange({ ...draft, assigned_to: "" })}>Nobody</Button>}
        </div>
      </Field>
      <div className={s.pair}>
        <Field label="Classification">
          <Select value={draft.classification ?? keep} onChange={(_, d) => onChange({ ...draft, classification: orKeep(d.value), determination: d.value === keep ? undefined : "" })}>
            {stay}
            {["", ...classifications].map((v) => <option key={v} value={v}>{classification(v)}</option>)}
          </Select>
        </Field>
        <Field label="Determination">
          <Select value={draft.determination ?? keep} onChange={(_, d) => onChange({ ...draft, determination: orKeep(d.value) })}>
            {stay}
            <option value="">Not set</option>
            {fits.map((v) => <option key={v} value={v}>{spaced(v)}</option>)}
            {draft.determination && !fits.includes(draft.determination) && <option value={draft.determination}>{spaced(draft.determination)}</option>}
          </Select>
        </Field>
      </div>
      <Field label="Comment">
        <Textarea value={draft.comment} maxLength={30000} rows={3} onChange={(_, d) => onChange({ ...draft, comment: d.value })} />
      </Field>
    </div>
  );
}
