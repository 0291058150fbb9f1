import { Button, Field, Input, MessageBar, MessageBarBody, Textarea, makeStyles } from "@fluentui/react-components";
import { DeleteRegular } from "@fluentui/react-icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { clean, freshRule, type Rule } from "../../lib/rules";
import { Section } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";
import { RuleForm } from "./RuleForm";
import { RulePreview, wrongRules } from "./RulePreview";

/** What is edited: a device group, or the rules of a tag. */
export interface RuleSet {
  id: number;
  name: string;
  description: string;
  rules: Rule[];
}

export const freshRuleSet = (): RuleSet => ({ id: 0, name: "", description: "", rules: [freshRule()] });

const useStyles = makeStyles({
  fields: { display: "flex", flexDirection: "column", gap: "14px", marginBottom: "28px" },
  rules: { display: "flex", flexDirection: "column" },
  wrong: { marginBottom: "16px", flexShrink: 0 },
  spread: { flexGrow: 1 },
});

export interface RuleSetPanelProps {
  kind: "group" | "tag";
  set: RuleSet;
  onSave: (set: RuleSet) => Promise<unknown>;
  onDelete: (id: number) => Promise<unknown>;
  onClose: () => void;
  /** What deleting does, for the question before it. */
  afterDelete: string;
}

/** The editor of a device group or of the rules of a tag, with what they would take. */
export function RuleSetPanel({ kind, set, onSave, onDelete, onClose, afterDelete }: RuleSetPanelProps) {
  const s = useStyles();
  const client = useQueryClient();
  const [draft, setDraft] = useState(set);
  const [sure, setSure] = useState(false);
  const done = { onSuccess: () => { onClose(); return client.invalidateQueries(); } };
  const save = useMutation({ mutationFn: () => onSave({ ...draft, name: draft.name.trim(), description: draft.description.trim(), rules: clean(draft.rules) }), ...done });
  const remove = useMutation({ mutationFn: () => onDelete(set.id), ...done });
  const busy = save.isPending || remove.isPending;
  const wrong = save.error ?? remove.error;
  const what = kind === "group" ? "device group" : "tag rule";
  return (
    <Panel
      title={set.id === 0 ? `New ${what}` : set.name}
      label={set.id === 0 ? `New ${what}` : `Edit ${set.name}`}
      width={680}
      onClose={onClose}
      footer={
        sure ? (
          <>
            <span className={s.spread}>{afterDelete}</span>
            <Button appearance="primary" disabled={busy} onClick={() => remove.mutate()}>Delete it</Button>
            <Button onClick={() => setSure(false)}>Keep it</Button>
          </>
        ) : (
          <>
            <Button appearance="primary" disabled={busy || draft.name.trim() === ""} onClick={() => save.mutate()}>Save</Button>
            <Button onClick={onClose}>Cancel</Button>
            <span className={s.spread} />
            {set.id !== 0 && <Button appearance="subtle" icon={<DeleteRegular />} disabled={busy} onClick={() => setSure(true)}>Delete</Button>}
          </>
        )
      }
    >
      {wrong && <MessageBar intent="error" className={s.wrong}><MessageBarBody>{wrongRules(wrong)}</MessageBarBody></MessageBar>}
      <div className={s.fields}>
        <Field label={kind === "group" ? "Name" : "Tag"}>
          <Input value={draft.name} maxLength={100} placeholder={kind === "group" ? "Web servers" : "internet-facing"} onChange={(_, d) => setDraft({ ...draft, name: d.value })} />
        </Field>
        <Field label="Description">
          <Textarea value={draft.description} maxLength={1000} rows={2} resize="vertical" placeholder="What it is for" onChange={(_, d) => setDraft({ ...draft, description: d.value })} />
        </Field>
      </div>
      <Section title={kind === "group" ? "A device belongs to it when" : "A device has it when"}>
        <div className={s.rules}>
          <RuleForm rules={draft.rules} onChange={(rules) => setDraft({ ...draft, rules })} />
        </div>
      </Section>
      <Section title="Preview">
        {!remove.isPending && !remove.isSuccess && <RulePreview kind={kind} id={set.id} rules={draft.rules} />}
      </Section>
    </Panel>
  );
}
