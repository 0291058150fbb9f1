import { Button, Field, Input, MessageBar, MessageBarBody, Spinner, Switch, makeStyles } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { actionKinds, approvalPolicy, setApprovalPolicy } from "../../api/approvals";
import { explain } from "../../api/client";
import { deviceGroups } from "../../api/queries";
import type { ApprovalRule } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ruleText } from "../../app/approvals";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { PlainTable } from "../../ui/PlainTable";
import { Choice } from "./Choice";
import { EditPanel } from "./EditPanel";

const useStyles = makeStyles({ body: { display: "flex", flexDirection: "column", gap: "14px" }, name: { textAlign: "left" } });

interface Draft {
  at: number;
  rule: ApprovalRule;
}
const blank: ApprovalRule = { all_actions: true, actions: [], all_devices: false, groups: [], hours: 24 };
const good = (r: ApprovalRule): boolean => (r.all_actions || r.actions.length > 0) && (r.all_devices || r.groups.length > 0) && r.hours >= 1 && r.hours <= 168;

/** Writes one rule, or takes it away. */
function RulePanel({ draft, rules, onClose, onSaved }: { draft: Draft; rules: readonly ApprovalRule[]; onClose: () => void; onSaved: (waits: boolean) => void }) {
  const [r, setRule] = useState(draft.rule);
  const { data: kinds } = useQuery(actionKinds);
  const { data: groups } = useQuery(deviceGroups);
  const put = (next: readonly ApprovalRule[]) => setApprovalPolicy({ rules: [...next] }).then((out) => onSaved(out.approval !== undefined));
  const fresh = draft.at === rules.length;
  return (
    <EditPanel
      title={fresh ? "New rule of approval" : "Rule of approval"}
      good={good(r)}
      onSave={() => put(fresh ? [...rules, r] : rules.map((o, i) => (i === draft.at ? r : o)))}
      onDelete={fresh ? undefined : () => put(rules.filter((_, i) => i !== draft.at))}
      afterDelete="Without another rule nobody has to approve these actions. Another administrator has to agree."
      onClose={onClose}
    >
      <Switch label="Every action, also those of later versions" checked={r.all_actions} onChange={(_, d) => setRule({ ...r, all_actions: d.checked })} />
      {!r.all_actions && <Choice label="Actions" options={(kinds ?? []).map((k) => ({ key: k.id, text: k.name }))} chosen={r.actions} onChange={(actions) => setRule({ ...r, actions })} />}
      <Switch label="All devices" checked={r.all_devices} onChange={(_, d) => setRule({ ...r, all_devices: d.checked })} />
      {!r.all_devices && (
        <Choice label="Device groups" hint="Whoever changes the rules or ranks of device groups moves devices between them." options={(groups ?? []).map((g) => ({ key: g.id, text: g.name, ...(g.description ? { more: g.description } : {}) }))} chosen={r.groups} onChange={(list) => setRule({ ...r, groups: list })} />
      )}
      <Field label="Hours that a request waits" hint="1 to 168; then it expires."><Input type="number" min={1} max={168} value={String(r.hours)} onChange={(_, d) => setRule({ ...r, hours: Number(d.value) })} /></Field>
    </EditPanel>
  );
}

/** What somebody else has to approve. */
export function ApprovalRules() {
  const s = useStyles();
  const { data, error } = useQuery(approvalPolicy);
  const { data: kinds } = useQuery(actionKinds);
  const { data: groups } = useQuery(deviceGroups);
  const [draft, setDraft] = useState<Draft>();
  const [waits, setWaits] = useState(false);
  if (!data) return <Card title="Rules of approval">{error ? <Empty small title="The rules could not be read">{explain(error)}</Empty> : <Spinner label="Reading …" />}</Card>;
  const rows = data.rules.map((rule, at) => ({ rule, at }));
  return (
    <Card title="Rules of approval" aside={<Button icon={<AddRegular />} onClick={() => setDraft({ at: data.rules.length, rule: blank })}>New rule</Button>}>
      <div className={s.body}>
        {waits && <MessageBar intent="warning" layout="multiline"><MessageBarBody>Less would be protected than now, so another administrator has to agree. It waits under <Anchor to="/approvals">Approvals</Anchor>; until then the rules hold as they are.</MessageBarBody></MessageBar>}
        {rows.length === 0 ? <Empty small title="No rule">Nobody has to approve anything: whoever holds the permission of an action carries it out at once.</Empty> : (
          <PlainTable
            label="Rules of approval"
            columns={[
              { key: "what", title: "What somebody else has to approve", render: (r) => <Button appearance="transparent" className={s.name} onClick={() => setDraft(r)}>{ruleText(r.rule, kinds ?? [], groups ?? [])}</Button> },
              { key: "hours", title: "Waits", width: "20%", render: (r) => `${String(r.rule.hours)} hours` },
            ]}
            rows={rows}
            rowKey={(r) => String(r.at)}
          />
        )}
      </div>
      {draft && <RulePanel draft={draft} rules={data.rules} onClose={() => setDraft(undefined)} onSaved={setWaits} />}
    </Card>
  );
}
