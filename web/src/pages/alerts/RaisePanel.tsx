import { Button, Field, Input, MessageBar, MessageBarBody, Select, Textarea, makeStyles } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { createAlert } from "../../api/alerts";
import { explain } from "../../api/client";
import type { NewAlert, TimelineRow } from "../../api/schema";
import { alertCategories, alertSeverities, isTechnique, spaced, techniqueIds } from "../../lib/alerts";
import { Panel } from "../../ui/Panel";

const useStyles = makeStyles({ root: { display: "flex", flexDirection: "column", gap: "16px" }, pair: { display: "grid", gridTemplateColumns: "1fr 1fr", gap: "16px" } });

/** Raises an alert about an event of a device. */
export function RaisePanel({ device, event, onClose }: { device: string; event: TimelineRow; onClose: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState({ title: event.title.slice(0, 256), severity: "Medium", category: "SuspiciousActivity", description: "", action: "", techniques: event.techniques.map((t) => t.id).join(", ") });
  const set = (part: Partial<typeof draft>) => setDraft((now) => ({ ...now, ...part }));
  const ids = techniqueIds(draft.techniques);
  const wrong = ids.filter((t) => !isTechnique(t));
  const ready = draft.title.trim() !== "" && draft.description.trim() !== "" && draft.action.trim() !== "" && wrong.length === 0;
  const go = useMutation({
    mutationFn: () =>
      createAlert({
        device_id: device, event_id: event.id, title: draft.title.trim(), severity: draft.severity as NewAlert["severity"], category: draft.category, description: draft.description.trim(),
        recommended_action: draft.action.trim(), techniques: ids,
      }),
    onSuccess: async (a) => {
      await client.invalidateQueries();
      await navigate({ to: "/alerts", search: { open: a.id } });
    },
  });
  return (
    <Panel
      title="Create alert"
      subtitle={<span>{event.title}</span>}
      width={460}
      onClose={onClose}
      footer={
        <>
          <Button appearance="primary" disabled={!ready || go.isPending} onClick={() => go.mutate()}>Create alert</Button>
          <Button onClick={onClose}>Cancel</Button>
        </>
      }
    >
      <form className={s.root} aria-label="Create alert" onSubmit={(e) => { e.preventDefault(); if (ready) go.mutate(); }}>
        {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
        <Field label="Title" required hint="An open alert of this title on the device takes the event in."><Input value={draft.title} maxLength={256} onChange={(_, d) => set({ title: d.value })} /></Field>
        <div className={s.pair}>
          <Field label="Severity"><Select value={draft.severity} onChange={(_, d) => set({ severity: d.value })}>{alertSeverities.filter((v) => v !== "UnSpecified").map((v) => <option key={v}>{v}</option>)}</Select></Field>
          <Field label="Category"><Select value={draft.category} onChange={(_, d) => set({ category: d.value })}>{alertCategories.map((v) => <option key={v} value={v}>{spaced(v)}</option>)}</Select></Field>
        </div>
        <Field label="Description" required hint="What it is and why it matters."><Textarea rows={3} value={draft.description} maxLength={4000} onChange={(_, d) => set({ description: d.value })} /></Field>
        <Field label="Recommended action" required><Textarea rows={3} value={draft.action} maxLength={4000} onChange={(_, d) => set({ action: d.value })} /></Field>
        <Field label="ATT&CK techniques" validationState={wrong.length > 0 ? "error" : "none"} validationMessage={wrong.length > 0 ? `${wrong.join(", ")}: a technique is written T1053 or T1053.003` : undefined}>
          <Input value={draft.techniques} placeholder="T1053.003" onChange={(_, d) => set({ techniques: d.value })} />
        </Field>
      </form>
    </Panel>
  );
}
