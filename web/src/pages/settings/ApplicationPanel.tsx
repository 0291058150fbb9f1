import { Button, Field, Input, MessageBar, MessageBarBody, Select, makeStyles } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { addSecret, applications, deleteApplication, removeSecret } from "../../api/programs";
import type { APISettings, AppKey, AppRow, Credentials } from "../../api/schema";
import { number, time } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";
import { PlainTable } from "../../ui/PlainTable";
import { Ago, Day } from "../../ui/Time";
import { ApplicationForm, lives } from "./ApplicationForm";
import { CredentialsBox } from "./Credentials";
import { Grants } from "./Grants";

const useStyles = makeStyles({ row: { display: "flex", gap: "8px", flexWrap: "wrap", alignItems: "flex-end", marginTop: "14px" }, wrong: { marginBottom: "14px" } });

const keeps = [["24", "live on for a day"], ["168", "live on for a week"], ["0", "end at once"], ["", "stay as they are"]] as const;
const bound = (used: number, most: number): string => (most > 0 ? `${number(used)} of ${number(most)}` : number(used));

/** The secrets of an application: what is known of each, another one, and removal. */
function Secrets({ app, onMade }: { app: AppRow; onMade: (c: Credentials) => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [note, setNote] = useState("");
  const [days, setDays] = useState("180");
  const [keep, setKeep] = useState("24");
  const again = () => client.invalidateQueries({ queryKey: applications.queryKey });
  const add = useMutation({
    mutationFn: () => addSecret(app.id, { note: note.trim(), days: Number(days), ...(keep === "" ? {} : { keep_hours: Number(keep) }) }),
    onSuccess: (made) => {
      setNote("");
      onMade(made);
      return again();
    },
  });
  const remove = useMutation({ mutationFn: (id: string) => removeSecret(app.id, id), onSettled: again });
  const now = new Date();
  const over = (k: AppKey): boolean => {
    const end = time(k.expires ?? undefined);
    return end !== null && end < now;
  };
  return (
    <Section title="Secrets">
      {(add.error ?? remove.error) && <MessageBar intent="error" className={s.wrong} layout="multiline"><MessageBarBody>{explain(add.error ?? remove.error)}</MessageBarBody></MessageBar>}
      <PlainTable
        label="Secrets"
        rows={app.secrets}
        rowKey={(k) => k.id}
        middle
        columns={[
          { key: "hint", title: "Begins with", width: "90px", render: (k) => <Mono>{k.hint ? `${k.hint}…` : "–"}</Mono> },
          { key: "note", title: "Note", render: (k) => k.note || "–" },
          { key: "expires", title: "Expires", render: (k) => (over(k) ? <Chip tone="quiet">Expired</Chip> : k.expires ? <Day at={k.expires} /> : "Never") },
          { key: "used", title: "Last used", render: (k) => <Ago at={k.last_used ?? undefined} /> },
          { key: "tools", title: "Action", width: "90px", align: "end", render: (k) => <Button size="small" disabled={remove.isPending} aria-label={`Remove the secret that begins with ${k.hint}`} onClick={() => remove.mutate(k.id)}>Remove</Button> },
        ]}
      />
      {app.owner === "" && (
        <form
          className={s.row}
          onSubmit={(e) => {
            e.preventDefault();
            add.mutate();
          }}
        >
          <Field label="Note of another secret"><Input value={note} maxLength={200} onChange={(_, d) => setNote(d.value)} /></Field>
          <Field label="It lives"><Select value={days} onChange={(_, d) => setDays(d.value)}>{lives.map(([v, t]) => <option key={v} value={v}>{t}</option>)}</Select></Field>
          <Field label="The others"><Select value={keep} onChange={(_, d) => setKeep(d.value)}>{keeps.map(([v, t]) => <option key={v} value={v}>{t}</option>)}</Select></Field>
          <Button type="submit" disabled={add.isPending}>New secret</Button>
        </form>
      )}
    </Section>
  );
}

/** One application: its use, its secrets, its settings. */
export function ApplicationPanel({ app, settings, onClose }: { app: AppRow; settings: APISettings; onClose: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [made, setMade] = useState<Credentials>();
  const [sure, setSure] = useState(false);
  const [saved, setSaved] = useState(false);
  const remove = useMutation({
    mutationFn: () => deleteApplication(app.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: applications.queryKey });
      onClose();
    },
  });
  return (
    <Panel
      title={app.name}
      subtitle={<><Chip tone={app.disabled ? "quiet" : "good"}>{app.disabled ? "Off" : "On"}</Chip>{app.owner !== "" && <span>{`Own token of ${app.owner}`}</span>}<Mono>{app.id}</Mono></>}
      width={700}
      onClose={onClose}
      footer={
        sure ? (
          <>
            <Button appearance="primary" disabled={remove.isPending} onClick={() => remove.mutate()}>{`Delete ${app.name}`}</Button>
            <Button onClick={() => setSure(false)}>Keep it</Button>
          </>
        ) : (
          <Button onClick={() => setSure(true)}>Delete …</Button>
        )
      }
    >
      {sure && <MessageBar intent="warning" className={s.wrong}><MessageBarBody>Its secrets and tokens end at once. This cannot be undone.</MessageBarBody></MessageBar>}
      {remove.error && <MessageBar intent="error" className={s.wrong}><MessageBarBody>{explain(remove.error)}</MessageBarBody></MessageBar>}
      {made && <CredentialsBox made={made} />}
      <Section title="Use">
        <Facts>
          <Fact name="Last call"><Ago at={app.last_used ?? undefined} /></Fact>
          <Fact name="From">{app.last_remote || "–"}</Fact>
          <Fact name="Calls">{number(app.calls)}</Fact>
          <Fact name="Refused by a limit">{number(app.refused)}</Fact>
          <Fact name="Created"><Day at={app.created} />{app.created_by && ` by ${app.created_by}`}</Fact>
        </Facts>
      </Section>
      {app.uses.length > 0 && (
        <Section title="Limits in use now">
          <PlainTable
            label="Limits in use now"
            rows={app.uses}
            rowKey={(u) => u.class}
            columns={[
              { key: "class", title: "Routes", render: (u) => u.class },
              { key: "minute", title: "This minute", width: "130px", align: "end", render: (u) => bound(u.minute, u.per_minute) },
              { key: "hour", title: "This hour", width: "130px", align: "end", render: (u) => bound(u.hour, u.per_hour) },
            ]}
          />
        </Section>
      )}
      {!app.public && <Secrets app={app} onMade={setMade} />}
      {(app.delegated ?? []).length > 0 && <Section title="Acts for"><Grants app={app.id} /></Section>}
      <Section title="Settings">
        {saved && <MessageBar intent="success" className={s.wrong}><MessageBarBody>Saved. It holds for the next call.</MessageBarBody></MessageBar>}
        <ApplicationForm app={app} settings={settings} onCreated={setMade} onSaved={() => setSaved(true)} />
      </Section>
    </Panel>
  );
}
