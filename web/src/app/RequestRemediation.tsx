import { Button, Checkbox, Field, MessageBar, MessageBarBody, Radio, RadioGroup, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../api/client";
import { remediationForm, requestRemediation } from "../api/remediation";
import type { RecommendationRow, RemediationForm } from "../api/schema";
import { Anchor } from "./Anchor";
import { ExportMenu } from "./ExportMenu";
import type { FlyoutFrame } from "./ListView";
import { say } from "./Said";
import { TicketChoice } from "./TicketChoice";
import { remedy } from "../lib/exposure";
import { number, plural } from "../lib/format";
import { dayAfter } from "../lib/remediation";
import { toggle } from "../lib/search";
import { Empty } from "../ui/Empty";
import { Panel } from "../ui/Panel";
import { WorkFields, type Work } from "../ui/WorkFields";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "20px" },
  boxes: { display: "flex", flexDirection: "column" },
  hint: { margin: 0, color: tokens.colorNeutralForeground2, "& a": { textDecorationLine: "underline" } },
  group: { border: "none", margin: 0, padding: 0 },
  legend: { padding: 0, marginBottom: "2px" },
});

const attention = "AttentionRequired";

function Form({ id, f, frame }: { id: string; f: RemediationForm; frame: FlyoutFrame }) {
  const s = useStyles();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [type, setType] = useState(f.types[0] ?? "");
  const [work, setWork] = useState<Work>({ priority: "Medium", due: dayAfter(new Date(), 30), notes: "" });
  const [some, setSome] = useState(false);
  const [groups, setGroups] = useState<string[]>([]);
  const [unnoticed, setUnnoticed] = useState(false);
  const [to, setTo] = useState<string[]>([]);
  const dated = type !== attention;
  const chosen = f.groups.filter((g) => groups.includes(String(g.id)));
  const impact = f.user_impact;
  const devices = some ? chosen.reduce((n, g) => n + (unnoticed ? g.unnoticed : g.exposed), 0) : unnoticed ? (impact?.none ?? 0) : f.exposed;
  const go = useMutation({
    mutationFn: () =>
      requestRemediation({ recommendation_id: id, type, priority: work.priority as "High", due: dated ? work.due : "", notes: work.notes.trim(), groups: some ? chosen.map((g) => g.id) : [], destinations: to, unnoticed }),
    onSuccess: async (made) => {
      await Promise.all([client.invalidateQueries({ queryKey: ["remediations"] }), client.invalidateQueries({ queryKey: ["scores"] })]);
      say(`Remediation was requested for ${plural(made.progress.targets, "device")}${to.length > 0 ? `, with ${plural(to.length, "ticket")}` : ""}.`);
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
      <Field label="What to do" hint={type === attention ? "Draws attention; progress cannot be measured, so there is no due date." : type === "Uninstall" ? "A device is done when no version of the software is left on it." : undefined}>
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
      <div><ExportMenu path={`/recommendations/${encodeURIComponent(id)}/devices`} query={unnoticed ? { user_impact: "none" } : {}} label="Export the exposed devices" /></div>
      {impact && (
        <Field hint={`Expected on ${number(impact.expected)}, not assessed on ${number(impact.not_assessed)}. ${impact.evidence ? `Without: nobody notices it, or what it takes away was not used for ${impact.days} days.` : "No event could tell that nobody notices it."}`}>
          <Checkbox label={`Only devices without user impact (${number(impact.none)})`} checked={unnoticed} disabled={impact.none === 0} onChange={() => setUnnoticed(!unnoticed)} />
        </Field>
      )}
      <WorkFields work={work} dated={dated} onChange={(part) => setWork({ ...work, ...part })} />
      <TicketChoice title="Open a ticket" places={f.destinations} to={to} onChange={setTo} />
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
