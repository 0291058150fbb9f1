import { Button, Checkbox, Field, Input, MessageBar, MessageBarBody, Select, Spinner, Textarea } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { changeIndicator, createIndicator, deleteIndicator, indicator } from "../../api/indicators";
import { deviceGroups } from "../../api/queries";
import type { IndicatorEdit, IndicatorRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { GroupChoice } from "../../app/GroupChoice";
import { useMay } from "../../app/useMay";
import { plural } from "../../lib/format";
import { indicatorActions, indicatorSeverities, indicatorTypes, prevents, type IndicatorAction, type IndicatorSeverity, type IndicatorType } from "../../lib/indicators";
import { Empty } from "../../ui/Empty";
import { Fact, Facts } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";
import { Moment } from "../../ui/Time";
import { EditPanel } from "./EditPanel";

const looks: Record<IndicatorRow["look_back"], string> = {
  none: "Nothing to look for", waiting: "Waits for its turn", running: "Under way", done: "Done", partial: "Done in part: there was more than is looked at", failed: "Failed",
};

/** What became of an indicator so far. */
function Found({ r }: { r: IndicatorRow }) {
  return (
    <Facts>
      <Fact name="Events that matched">{plural(r.matched, "event")}</Fact>
      <Fact name="Last match">{r.last_matched.startsWith("0001-") ? "None" : <Moment at={r.last_matched} />}</Fact>
      <Fact name="Look at the last 30 days">{r.look_back === "done" || r.look_back === "partial" ? `${looks[r.look_back]}, ${plural(r.look_back_events, "event")} on ${plural(r.look_back_devices, "device")}` : looks[r.look_back]}</Fact>
      <Fact name="Made by">{r.source_name}, <Moment at={r.created_at} /></Fact>
      <Fact name="Changed by">{r.updated_by && <>{r.updated_by}, <Moment at={r.updated_at} /></>}</Fact>
      <Fact name="Alerts"><Anchor to="/alerts" search={{ source: "CustomerTI", q: `(indicator ${r.id})` }}>Alerts of this indicator</Anchor></Fact>
    </Facts>
  );
}

function Form({ row, allDevices, onClose }: { row: IndicatorRow | undefined; allDevices: boolean; onClose: () => void }) {
  const { may, why } = useMay("remediate.security-operations", "settings.security");
  const { data: groups } = useQuery(deviceGroups);
  const [type, setType] = useState<IndicatorType>((row?.type as IndicatorType | undefined) ?? "FileSha256");
  const [value, setValue] = useState(row?.value ?? "");
  const [action, setAction] = useState<IndicatorAction>((row?.action as IndicatorAction | undefined) ?? "Audit");
  const [severity, setSeverity] = useState<IndicatorSeverity>((row?.severity as IndicatorSeverity | undefined) ?? "Medium");
  const [title, setTitle] = useState(row?.title ?? "");
  const [description, setDescription] = useState(row?.description ?? "");
  const [recommended, setRecommended] = useState(row?.recommended_actions ?? "");
  const [ends, setEnds] = useState(row && !row.expires_at.startsWith("0001-") ? row.expires_at.slice(0, 10) : "");
  const [some, setSome] = useState(row ? row.device_groups.length > 0 : !allDevices);
  const [chosen, setChosen] = useState<readonly number[]>(row?.device_groups ?? []);
  const locked = row !== undefined && !row.editable;
  const save = () => {
    const body: IndicatorEdit = { type, value: value.trim(), action, title: title.trim(), description: description.trim(), severity, generate_alert: action !== "Allowed" };
    if (recommended.trim() !== "") body.recommended_actions = recommended.trim();
    if (ends !== "") body.expires_at = row?.expires_at.startsWith(ends) ? row.expires_at : `${ends}T23:59:59Z`;
    if (row?.external_id) body.external_id = row.external_id;
    if (row?.educate_url) body.educate_url = row.educate_url;
    if (some) body.device_groups = [...chosen];
    return row ? changeIndicator(row.id, body) : createIndicator(body);
  };
  const good = may && !locked && value.trim() !== "" && title.trim() !== "" && description.trim() !== "" && (!some || chosen.length > 0);
  return (
    <EditPanel
      title={row ? row.value : "New indicator"}
      good={good}
      onSave={may && !locked ? save : undefined}
      onDelete={row && may && !locked ? () => deleteIndicator(row.id) : undefined}
      afterDelete="Nothing is looked for any more; alerts stay."
      onClose={onClose}
    >
      {(!may || locked) && <MessageBar intent="info" layout="multiline"><MessageBarBody>{may ? "This indicator concerns devices that are hidden from you: you cannot change it." : why}</MessageBarBody></MessageBar>}
      {row && <Found r={row} />}
      <Field label="Type"><Select value={type} disabled={row !== undefined} onChange={(_, d) => setType(d.value as IndicatorType)}>{Object.entries(indicatorTypes).map(([v, t]) => <option key={v} value={v}>{t}</option>)}</Select></Field>
      <Field label="Value" required hint={type === "DomainName" ? "Covers all hosts below it; no wildcards." : type === "Url" ? "Covers all that is below its path." : type === "IpAddress" ? "One address; no ranges." : undefined}>
        <Input value={value} disabled={row !== undefined} maxLength={2048} onChange={(_, d) => setValue(d.value)} />
      </Field>
      <Field label="Action"><Select value={action} onChange={(_, d) => setAction(d.value as IndicatorAction)}>{Object.entries(indicatorActions).map(([v, t]) => <option key={v} value={v}>{t}</option>)}</Select></Field>
      {prevents(action) && <MessageBar intent="warning" layout="multiline"><MessageBarBody>This is not enforced on endpoints: matches are detected and raise alerts, nothing is blocked.</MessageBarBody></MessageBar>}
      {action === "Allowed" && <MessageBar intent="info" layout="multiline"><MessageBarBody>Keeps other indicators of the same thing from raising alerts, and raises none itself.</MessageBarBody></MessageBar>}
      {type === "CertificateThumbprint" && <MessageBar intent="warning" layout="multiline"><MessageBarBody>Nothing is matched: no event tells of certificates. It is kept for programs that ask for it.</MessageBarBody></MessageBar>}
      <Field label="Severity of its alerts"><Select value={severity} onChange={(_, d) => setSeverity(d.value as IndicatorSeverity)}>{indicatorSeverities.map((v) => <option key={v} value={v}>{v}</option>)}</Select></Field>
      <Field label="Title" required hint="Of its alerts."><Input value={title} maxLength={200} onChange={(_, d) => setTitle(d.value)} /></Field>
      <Field label="Description" required><Textarea value={description} maxLength={2000} onChange={(_, d) => setDescription(d.value)} /></Field>
      <Field label="Recommended actions"><Textarea value={recommended} maxLength={2000} onChange={(_, d) => setRecommended(d.value)} /></Field>
      <Field label="Expires at the end of" hint="In UTC; without a day it never does."><Input type="date" value={ends} onChange={(_, d) => setEnds(d.value)} /></Field>
      <Checkbox label="Only on devices of some device groups" checked={some} disabled={!allDevices} onChange={(_, d) => setSome(d.checked === true)} />
      {some && groups && <GroupChoice groups={groups} held={new Map()} chosen={chosen} onChoose={setChosen} />}
    </EditPanel>
  );
}

/** Makes an indicator (id "new"), or shows and changes one. */
export function IndicatorPanel({ id, row, allDevices, onClose }: { id: string; row: IndicatorRow | undefined; allDevices: boolean; onClose: () => void }) {
  const { data, error, refetch } = useQuery({ ...indicator(id), enabled: id !== "new" && row === undefined });
  const r = row ?? data;
  if (id === "new" || r) return <Form key={r?.updated_at} row={id === "new" ? undefined : r} allDevices={allDevices} onClose={onClose} />;
  return (
    <Panel title="Indicator" width={560} onClose={onClose}>
      {error ? <Empty title="This indicator could not be read" action={<Button onClick={() => void refetch()}>Try again</Button>}>{explain(error)}</Empty> : <Spinner label="Reading …" />}
    </Panel>
  );
}
