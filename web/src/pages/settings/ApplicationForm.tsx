import { Button, Checkbox, Field, Input, MessageBar, MessageBarBody, Select, Switch, Textarea, makeStyles } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { applications, createApplication, editApplication } from "../../api/programs";
import type { APISettings, AppEdit, AppRow, Credentials } from "../../api/schema";
import { PermissionField } from "./Permissions";

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "16px" }, row: { display: "flex", gap: "8px" } });

/** How long secrets may live, in days. */
export const lives = [["30", "30 days"], ["180", "180 days"], ["365", "1 year"], ["730", "2 years"], ["0", "For ever"]] as const;

/** Makes an application, or changes one. Of somebody's own token only limits and whether it is on can be changed. */
export function ApplicationForm({ app, settings, onCreated, onSaved }: { app?: AppRow; settings: APISettings; onCreated: (made: Credentials) => void; onSaved: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const own = app !== undefined && app.owner !== "";
  const [name, setName] = useState(app?.name ?? "");
  const [chosen, setChosen] = useState<string[]>(app?.permissions ?? []);
  const [preset, setPreset] = useState<AppRow["preset"]>(app?.preset ?? "");
  const [perMinute, setPerMinute] = useState(String(app?.per_minute || 600));
  const [on, setOn] = useState(!(app?.disabled ?? false));
  const [days, setDays] = useState("180");
  const [isPublic, setPublic] = useState(app?.public ?? false);
  const [delegated, setDelegated] = useState<string[]>(app?.delegated ?? []);
  const [redirects, setRedirects] = useState((app?.redirects ?? []).join("\n"));
  const [code, setCode] = useState(app?.device_code ?? false);
  const go = useMutation({
    mutationFn: async () => {
      const body: AppEdit = { name: name.trim(), permissions: isPublic ? [] : chosen, disabled: !on, preset, per_minute: preset === "plain" ? Number(perMinute) : 0, public: isPublic, delegated, redirects: redirects.split("\n").map((r) => r.trim()).filter((r) => r !== ""), device_code: code };
      if (app) return editApplication(app.id, body).then(() => undefined);
      return createApplication({ ...body, days: Number(days) });
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: applications.queryKey });
      if (made) onCreated(made);
      else onSaved();
    },
  });
  const open = settings.permissions.filter((p) => p.opens).map((p) => p.name);
  return (
    <form
      className={s.form}
      onSubmit={(e) => {
        e.preventDefault();
        go.mutate();
      }}
    >
      {!own && <Field label="Name" required hint="As the audit log names it."><Input value={name} maxLength={200} onChange={(_, d) => setName(d.value)} /></Field>}
      {!app && <Checkbox label="Public: it runs at people's own machines and keeps no secret" checked={isPublic} onChange={(_, d) => setPublic(d.checked === true)} />}
      {!own && !isPublic && <PermissionField all={open} chosen={chosen} onChange={setChosen} />}
      {!own && <PermissionField title="Permissions that people may let it have, to act for them" all={open} chosen={delegated} onChange={setDelegated} />}
      {!own && delegated.length > 0 && (
        <>
          <Field label="Addresses that people are sent back to" hint="One a line, to the letter. Of a public application at http://127.0.0.1 or http://localhost, with any port."><Textarea value={redirects} onChange={(_, d) => setRedirects(d.value)} /></Field>
          <Checkbox label="People may let it in by typing a code that it shows" checked={code} onChange={(_, d) => setCode(d.checked === true)} />
        </>
      )}
      <Field label="Limits" hint={preset === "reference" ? "The limits of the Defender API, by kind of route." : undefined}>
        <Select value={preset} onChange={(_, d) => setPreset(d.value as AppRow["preset"])}>
          <option value="">As for all applications</option>
          <option value="plain">A number of its own</option>
          <option value="reference">As the Defender API has them</option>
        </Select>
      </Field>
      {preset === "plain" && <Field label="Calls a minute" required><Input type="number" min={1} value={perMinute} onChange={(_, d) => setPerMinute(d.value)} /></Field>}
      {app ? (
        <Switch label={on ? "Turned on" : "Turned off: its tokens open nothing"} checked={on} onChange={(_, d) => setOn(d.checked)} />
      ) : !isPublic && (
        <Field label="The first secret lives"><Select value={days} onChange={(_, d) => setDays(d.value)}>{lives.map(([v, t]) => <option key={v} value={v}>{t}</option>)}</Select></Field>
      )}
      {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      <div className={s.row}>
        <Button appearance="primary" type="submit" disabled={go.isPending || (!own && (name.trim() === "" || chosen.length + delegated.length === 0))}>{app ? "Save" : "Create application"}</Button>
      </div>
    </form>
  );
}
