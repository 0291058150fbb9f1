import { Button, Checkbox, MessageBar, MessageBarBody, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { plan, planForm, remediatePlan } from "../../api/queries";
import type { Plan, PlanFormData } from "../../api/schema";
import type { FlyoutFrame } from "../../app/ListView";
import { TicketChoice } from "../../app/TicketChoice";
import { remedy } from "../../lib/exposure";
import { number, plural } from "../../lib/format";
import { groupWords } from "../../lib/plan";
import { dayAfter } from "../../lib/remediation";
import { toggle } from "../../lib/search";
import { Empty } from "../../ui/Empty";
import { Fact, Facts } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";
import { WorkFields, type Work } from "../../ui/WorkFields";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "20px" },
  hint: { margin: 0, color: tokens.colorNeutralForeground2 },
  group: { border: "none", margin: 0, padding: 0 },
  legend: { padding: 0, marginBottom: "4px" },
  step: { display: "flex", alignItems: "flex-start", gap: "4px", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, padding: "2px 0" },
  name: { flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
  why: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

type Step = PlanFormData["steps"][number];

/** Why a step cannot be requested, "" when it can. */
const obstacle = (t: Step): string => (t.exposed === 0 ? "Done: no device of the plan needs it" : t.asked ? "Requested with this plan already" : "");

function about(t: Step): string {
  const why = obstacle(t);
  if (why !== "") return why;
  const others = t.active > 0 ? ` · ${t.active === 1 ? "another activity is" : `${number(t.active)} activities are`} under way` : "";
  return `${remedy(t.type).word} · ${plural(t.exposed, "exposed device")}${t.type === "AttentionRequired" ? " · no due date" : ""}${others}`;
}

function Form({ p, f, frame }: { p: Plan; f: PlanFormData; frame: FlyoutFrame }) {
  const s = useStyles();
  const client = useQueryClient();
  const [left, setLeft] = useState<string[]>([]); // out: not requested
  const [work, setWork] = useState<Work>({ priority: "Medium", due: dayAfter(new Date(), 30), notes: "" });
  const [to, setTo] = useState<string[]>([]);
  const free = f.steps.filter((t) => obstacle(t) === "");
  const chosen = free.filter((t) => !left.includes(t.id));
  const go = useMutation({
    mutationFn: () => remediatePlan(p.id, { steps: chosen.map((t) => t.id), priority: work.priority as "High", due: work.due, notes: work.notes.trim(), destinations: to }),
    onSuccess: async (now) => {
      client.setQueryData(plan(p.id).queryKey, now);
      await Promise.all([client.invalidateQueries({ queryKey: ["remediations"] }), client.invalidateQueries({ queryKey: ["scores"] })]);
      frame.onView("steps");
    },
  });
  return (
    <form className={s.form} onSubmit={(e) => { e.preventDefault(); go.mutate(); }}>
      <p className={s.hint}>This makes one activity for each step: all of them, or none when one cannot be made. Each follows the devices that are exposed now until the last of them is fixed. It changes nothing on devices.</p>
      <Facts>
        <Fact name="Device groups">{f.group_names.length > 0 ? groupWords({ all_devices: false, group_names: f.group_names }) : "All devices"}</Fact>
      </Facts>
      <fieldset className={s.group}>
        <legend className={s.legend}>{`Steps (${number(chosen.length)} of ${number(f.steps.length)})`}</legend>
        {f.steps.map((t) => (
          <div key={t.id} className={s.step}>
            <Checkbox aria-label={`Request ${t.name}`} checked={obstacle(t) === "" && !left.includes(t.id)} disabled={obstacle(t) !== ""} onChange={() => setLeft(toggle(left, t.id))} />
            <div className={s.name}>{t.name}<div className={s.why}>{about(t)}</div></div>
          </div>
        ))}
      </fieldset>
      {free.length === 0 && <MessageBar intent="info"><MessageBarBody>Every step is done, or its remediation was requested and is under way.</MessageBarBody></MessageBar>}
      {free.length > 0 && <WorkFields work={work} dated={chosen.some((t) => t.type !== "AttentionRequired")} onChange={(part) => setWork({ ...work, ...part })} />}
      {free.length > 0 && <TicketChoice title="Open a ticket for each step" places={f.destinations} to={to} onChange={setTo} />}
      {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      <div>
        {free.length > 0 && <Button appearance="primary" type="submit" disabled={go.isPending || chosen.length === 0}>{chosen.length > 1 && chosen.length === f.steps.length ? `Request all ${plural(chosen.length, "step")}` : `Request ${plural(chosen.length, "step")}`}</Button>}{" "}
        <Button onClick={() => frame.onView("")}>{free.length > 0 ? "Cancel" : "Back to the plan"}</Button>
      </div>
    </form>
  );
}

/** The form to request remediation of a whole plan, in place of the plan's flyout. */
export function RequestPlan({ p, frame }: { p: Plan; frame: FlyoutFrame }) {
  const { data: f, error, refetch } = useQuery(planForm(p.id));
  return (
    <Panel title="Request remediation of the plan" label="Request remediation of the plan" subtitle={p.name} onClose={() => frame.onView("")}>
      {f ? <Form p={p} f={f} frame={frame} /> : error ? <Empty title="Remediation cannot be requested" action={<Button onClick={() => void refetch()}>Try again</Button>}>{explain(error)}</Empty> : <Spinner size="small" label="Reading …" />}
    </Panel>
  );
}
