import { Button, Checkbox, Field, Input, MessageBar, MessageBarBody, Spinner, Switch, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { AddRegular, SendRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { forwarding, putForward, removeForward, testForward } from "../../api/programs";
import type { ForwardIn, ForwardRow } from "../../api/schema";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { number } from "../../lib/format";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Empty } from "../../ui/Empty";
import { Fact, Facts } from "../../ui/Facts";
import { Menu } from "../../ui/Menu";
import { Panel } from "../../ui/Panel";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({
  bar: { margin: "14px 0 16px" },
  grid: { display: "grid", gap: "16px", gridTemplateColumns: "repeat(auto-fill, minmax(400px, 1fr))", maxWidth: "1280px" },
  row: { display: "flex", gap: "8px", flexWrap: "wrap" },
  said: { marginBottom: "12px" },
  form: { display: "flex", flexDirection: "column", gap: "16px" },
  label: { marginBottom: "2px" },
  hint: { margin: 0, color: tokens.colorNeutralForeground2 },
});

type Kind = ForwardRow["kind"];
interface Draft extends ForwardIn {
  id: string;
  secret: string;
}
const kinds: readonly { kind: Kind; word: string }[] = [{ kind: "webhook", word: "Signed webhook" }, { kind: "syslog", word: "Syslog" }];
const classes = [["exposure", "Event timeline: new vulnerabilities, exploits, updates"], ["audit", "Audit log: who did what"]] as const;
const wordOf = (k: Kind): string => kinds.find((x) => x.kind === k)?.word ?? k;
const blank = (kind: Kind): Draft => ({ id: "", kind, name: wordOf(kind), enabled: true, classes: ["exposure"], config: kind === "webhook" ? { url: "" } : { host: "", port: 6514, tls: true, ca: "" }, secret: "" });

/** Adds a receiver of events, or changes one. */
function ForwardForm({ first, onClose }: { first: Draft; onClose: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [d, setDraft] = useState(first);
  const config = (part: Partial<Draft["config"]>) => setDraft({ ...d, config: { ...d.config, ...part } });
  const go = useMutation({
    mutationFn: () => {
      const { id, ...body } = d;
      return putForward(id, { ...body, name: d.name.trim() });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: forwarding.queryKey });
      onClose();
    },
  });
  const title = d.id === "" ? `Add ${wordOf(d.kind).toLowerCase()}` : `Change ${first.name}`;
  return (
    <Panel title={title} label={title} width={500} onClose={onClose}>
      <form
        className={s.form}
        onSubmit={(e) => {
          e.preventDefault();
          go.mutate();
        }}
      >
        <p className={s.hint}>{d.kind === "webhook" ? "Events are posted in batches as JSON, signed with HMAC-SHA256 over time and body." : "Each event is one message of RFC 5424 with JSON, over TCP with octet counting."}</p>
        <Field label="Name" required><Input value={d.name} maxLength={100} onChange={(_, v) => setDraft({ ...d, name: v.value })} /></Field>
        {d.kind === "webhook" ? (
          <>
            <Field label="Address" required hint="https, or http to this machine alone."><Input value={d.config.url ?? ""} autoComplete="off" onChange={(_, v) => config({ url: v.value })} /></Field>
            <Field label="Signing key" hint={d.id === "" ? "At least 16 characters; the receiver checks the signature with it." : "It is never shown. Leave empty to keep it; enter it again when the address changes."}>
              <Input type="password" autoComplete="new-password" value={d.secret} onChange={(_, v) => setDraft({ ...d, secret: v.value })} />
            </Field>
          </>
        ) : (
          <>
            <Field label="Host" required><Input value={d.config.host ?? ""} autoComplete="off" onChange={(_, v) => config({ host: v.value })} /></Field>
            <Switch label="TLS" checked={d.config.tls === true} onChange={(_, v) => config({ tls: v.checked, port: v.checked ? 6514 : 601 })} />
            <Field label="Port"><Input type="number" min={1} value={String(d.config.port ?? "")} onChange={(_, v) => config({ port: Number(v.value) })} /></Field>
            {d.config.tls === true && <Field label="Certificates that vouch for it (PEM)" hint="Empty: those that this server's system trusts."><Textarea rows={4} value={d.config.ca ?? ""} onChange={(_, v) => config({ ca: v.value })} /></Field>}
          </>
        )}
        <div role="group" aria-label="What is sent">
          <div className={s.label}>What is sent</div>
          {classes.map(([value, label]) => (
            <div key={value}><Checkbox label={label} checked={d.classes.includes(value)} onChange={(_, v) => setDraft({ ...d, classes: v.checked === true ? [...d.classes, value] : d.classes.filter((c) => c !== value) })} /></div>
          ))}
        </div>
        <Switch label="Turned on" checked={d.enabled} onChange={(_, v) => setDraft({ ...d, enabled: v.checked })} />
        {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
        <div className={s.row}>
          <Button appearance="primary" type="submit" disabled={go.isPending || d.classes.length === 0}>Save</Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Panel>
  );
}

/** One receiver: how it does, and what can be done with it. */
function ForwardCard({ f, onEdit }: { f: ForwardRow; onEdit: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [sure, setSure] = useState(false);
  const test = useMutation({ mutationFn: () => testForward(f.id) });
  const remove = useMutation({ mutationFn: () => removeForward(f.id), onSuccess: () => client.invalidateQueries({ queryKey: forwarding.queryKey }) });
  const trouble = f.error !== "";
  const place = f.kind === "webhook" ? f.config.url : `${f.config.host ?? ""}:${f.config.port ?? ""} over ${f.config.tls ? "TLS" : "TCP"}`;
  return (
    <Card
      title={f.name}
      aside={<Chip tone={!f.enabled ? "quiet" : trouble ? "bad" : f.dropped > 0 ? "warn" : "good"}>{!f.enabled ? "Off" : trouble ? "Failing" : f.dropped > 0 ? "Dropped events" : "On"}</Chip>}
      foot={
        <div className={s.row}>
          {sure ? (
            <>
              <span>Forget it and its key? What waits is given up.</span>
              <Button size="small" appearance="primary" disabled={remove.isPending} onClick={() => remove.mutate()}>{`Remove ${f.name}`}</Button>
              <Button size="small" onClick={() => setSure(false)}>Cancel</Button>
            </>
          ) : (
            <>
              <Button size="small" onClick={onEdit} aria-label={`Change ${f.name}`}>Change</Button>
              <Button size="small" disabled={test.isPending} onClick={() => test.mutate()} aria-label={`Send a test to ${f.name}`}>Send a test</Button>
              <Button size="small" onClick={() => setSure(true)} aria-label={`Remove ${f.name} …`}>Remove …</Button>
            </>
          )}
        </div>
      }
    >
      {test.data && <MessageBar intent={test.data.ok ? "success" : "error"} layout="multiline" className={s.said}><MessageBarBody>{`${test.data.text} ${test.data.mend}`}</MessageBarBody></MessageBar>}
      {(test.error ?? remove.error) && <MessageBar intent="error" layout="multiline" className={s.said}><MessageBarBody>{explain(test.error ?? remove.error)}</MessageBarBody></MessageBar>}
      {trouble && f.enabled && <MessageBar intent="error" layout="multiline" className={s.said}><MessageBarBody>{`${f.error} ${f.mend} It is tried again by itself (attempt ${number(f.attempts)}).`}</MessageBarBody></MessageBar>}
      <Facts>
        <Fact name="Kind">{wordOf(f.kind)}</Fact>
        <Fact name="Delivered">{number(f.sent)}</Fact>
        <Fact name="Waiting">{number(f.waiting)}</Fact>
        <Fact name="Dropped">{number(f.dropped)}</Fact>
        <Fact name="Last delivery"><Ago at={f.last_sent ?? undefined} /></Fact>
        <Fact name="What">{f.classes.map((c) => (c === "exposure" ? "Event timeline" : "Audit log")).join(", ")}</Fact>
        <Fact name="Place" wide>{place}</Fact>
        <Fact name="Changed" wide><Ago at={f.updated_at} />{` by ${f.updated_by}`}</Fact>
      </Facts>
    </Card>
  );
}

/** Settings › Event forwarding: where news goes as it happens. */
export function ForwardingPage() {
  const s = useStyles();
  const { data, error, refetch } = useQuery(forwarding);
  const [draft, setDraft] = useState<Draft>();
  if (error && !data) return <ErrorPage error={error} retry={() => void refetch()} />;
  const add = (
    <Menu
      label="Kind of receiver"
      entries={kinds.map((k) => ({ kind: "action" as const, key: k.kind, text: k.word, onSelect: () => setDraft(blank(k.kind)) }))}
      trigger={(p) => <Button appearance="primary" icon={<AddRegular />} {...p}>Add a receiver</Button>}
    />
  );
  return (
    <PageHead title="Event forwarding" scroll text="What happens goes to other systems as JSON in fields of ECS, in its order, and is kept until a receiver has it.">
      {!data ? (
        <Spinner label="Reading …" />
      ) : data.length === 0 ? (
        <Empty icon={<SendRegular />} title="Nothing is forwarded" action={add}>Send the event timeline and the audit log to a SIEM: by a signed webhook, or as syslog over TLS.</Empty>
      ) : (
        <>
          <div className={s.bar}>{add}</div>
          <div className={s.grid}>{data.map((f) => <ForwardCard key={f.id} f={f} onEdit={() => setDraft({ id: f.id, kind: f.kind, name: f.name, enabled: f.enabled, classes: f.classes, config: f.config, secret: "" })} />)}</div>
        </>
      )}
      {draft && <ForwardForm key={`${draft.id} ${draft.kind}`} first={draft} onClose={() => setDraft(undefined)} />}
    </PageHead>
  );
}
