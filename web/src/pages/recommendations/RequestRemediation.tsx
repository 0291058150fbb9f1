import { Button, Checkbox, Field, Input, MessageBar, MessageBarBody, Radio, RadioGroup, Spinner, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../../api/client";
import { remediationForm, requestRemediation } from "../../api/remediation";
import type { RecommendationRow, RemediationForm } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import type { FlyoutFrame } from "../../app/ListView";
import { remedy } from "../../lib/exposure";
import { number, plural } from "../../lib/format";
import { dayAfter, kindWord, priorityNames } from "../../lib/remediation";
import { toggle } from "../../lib/search";
import { Empty } from "../../ui/Empty";
import { Panel } from "../../ui/Panel";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "20px" },
  pair: { display: "grid", gridTemplateColumns: "1fr 1fr", gap: "20px" },
  boxes: { display: "flex", flexDirection: "column" },
  hint: { margin: 0, color: tokens.colorNeutralForeground2 },
  group: { border: "none", margin: 0, padding: 0 },
  legend: { padding: 0, marginBottom: "2px" },
});

const attention = "AttentionRequired";

function Form({ id, f, frame }: { id: string; f: RemediationForm; frame: FlyoutFrame }) {
  const s = useStyles();
  const client = useQueryClient();
  const navigate = useNavigate();
  const today = new Date().toISOString().slice(0, 10);
  const [type, setType] = useState(f.types[0] ?? "");
  const [priority, setPriority] = useState("Medium");
  const [due, setDue] = useState(dayAfter(new Date(), 30));
  const [notes, setNotes] = useState("");
  const [some, setSome] = useState(false);
  const [groups, setGroups] = useState<string[]>([]);
  const [to, setTo] = useState<string[]>([]);
  const dated = type !== attention;
  const chosen = f.groups.filter((g) => groups.includes(String(g.id)));
  const devices = some ? chosen.reduce((n, g) => n + g.exposed, 0) : f.exposed;
  const go = useMutation({
    mutationFn: () =>
      requestRemediation({ recommendation_id: id, type, priority: priority as "High", due: dated ? due : "", notes: notes.trim(), groups: some ? chosen.map((g) => g.id) : [], destinations: to }),
    onSuccess: async (made) => {
      await Promise.all([client.invalidateQueries({ queryKey: ["remediations"] }), client.invalidateQueries({ queryKey: ["scores"] })]);
      await navigate({ to: "/remediation", search: ({ open: made.id }) });
    },
  });
  return (
    <form
      className={s.form}
      onSubmit={(e) => {
        e.preventDefault();
        go.mutate();
      }}
    >
      <p className={s.hint}>
        This makes an activity that follows the devices which are exposed now until each of them is fixed. It changes nothing on devices.
        {f.active > 0 && <> For this recommendation {f.active === 1 ? "one activity is" : `${number(f.active)} activities are`} under way already: <Anchor to="/remediation" search={{ recommendation: id, status: "Active" }}>show</Anchor>.</>}
      </p>
      <Field label="What to do" hint={type === attention ? "Draws attention; progress cannot be measured, so there is no due date." : undefined}>
        <RadioGroup value={type} onChange={(_, d) => setType(d.value)}>
          {f.types.map((t, i) => <Radio key={t} value={t} label={`${remedy(t).word}${i === 0 ? " (recommended)" : ""}`} />)}
        </RadioGroup>
      </Field>
      {f.groups.length > 0 && (
        <Field label="For which devices">
          <RadioGroup value={some ? "some" : "all"} onChange={(_, d) => setSome(d.value === "some")}>
            <Radio value="all" label={`All exposed devices (${number(f.exposed)})`} />
            <Radio value="some" label="Those of some device groups" />
          </RadioGroup>
        </Field>
      )}
      {some && (
        <fieldset className={s.group}>
          <legend className={s.legend}>Device groups</legend>
          <div className={s.boxes}>
            {f.groups.map((g) => <Checkbox key={g.id} label={`${g.name} (${plural(g.exposed, "exposed device")})`} checked={groups.includes(String(g.id))} disabled={g.exposed === 0} onChange={() => setGroups(toggle(groups, String(g.id)))} />)}
          </div>
        </fieldset>
      )}
      <div className={s.pair}>
        <Field label="Priority">
          <RadioGroup layout="horizontal" value={priority} onChange={(_, d) => setPriority(d.value)}>
            {priorityNames.map((p) => <Radio key={p} value={p} label={p} />)}
          </RadioGroup>
        </Field>
        {dated && (
          <Field label="Due date" hint="Leave empty for none.">
            <Input type="date" value={due} min={today} onChange={(_, d) => setDue(d.value)} />
          </Field>
        )}
      </div>
      <Field label="Notes">
        <Textarea value={notes} maxLength={4000} rows={3} placeholder="What whoever does it should know" onChange={(_, d) => setNotes(d.value)} />
      </Field>
      <fieldset className={s.group}>
        <legend className={s.legend}>Open a ticket</legend>
        {f.destinations.length === 0 ? (
          <p className={s.hint}>No place for tickets is set up: the activity is just tracked. Webhook, e-mail, Jira, GitHub and ServiceNow are under <Anchor to="/settings/ticketing">Settings › Ticketing</Anchor>.</p>
        ) : (
          <div className={s.boxes}>
            {f.destinations.map((d) => <Checkbox key={d.id} label={`${d.name} (${kindWord(d.kind)})`} checked={to.includes(d.id)} onChange={() => setTo(toggle(to, d.id))} />)}
          </div>
        )}
      </fieldset>
      {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      <div>
        <Button appearance="primary" type="submit" disabled={go.isPending || devices === 0}>{`Request for ${plural(devices, "device")}`}</Button>{" "}
        <Button onClick={() => frame.onView("")}>Cancel</Button>
      </div>
    </form>
  );
}

/** The form to request remediation, in place of the recommendation's flyout. */
export function RequestRemediation({ id, frame, row }: { id: string; frame: FlyoutFrame; row: RecommendationRow | undefined }) {
  const { data: f, error, refetch } = useQuery(remediationForm(id));
  return (
    <Panel title="Request remediation" label="Request remediation" subtitle={row?.name} onClose={() => frame.onView("")}>
      {f ? <Form id={id} f={f} frame={frame} /> : error ? <Empty title="Remediation cannot be requested" action={<Button onClick={() => void refetch()}>Try again</Button>}>{explain(error)}</Empty> : <Spinner size="small" label="Reading …" />}
    </Panel>
  );
}
