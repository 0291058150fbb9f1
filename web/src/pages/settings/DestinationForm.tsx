import { Button, Field, Input, MessageBar, MessageBarBody, Select, Switch, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { putDestination, ticketing } from "../../api/remediation";
import type { DestinationRow, TicketConfig } from "../../api/schema";
import { kinds, kindWord, type Kind } from "../../lib/remediation";
import { Panel } from "../../ui/Panel";

/** What is being entered; id "" for a new destination. */
export interface Draft {
  id: string;
  kind: Kind;
  name: string;
  enabled: boolean;
  config: TicketConfig;
  secret: string;
}

const starts: Record<Kind, TicketConfig> = {
  webhook: { url: "" },
  email: { host: "", port: 587, tls: "starttls", user: "", from: "", to: [] },
  jira: { url: "https://", api: "3", user: "", project: "", issue: "Task", labels: [] },
  github: { url: "https://api.github.com", project: "", labels: [] },
  servicenow: { url: "https://", user: "", project: "incident" },
};
export const blank = (kind: Kind): Draft => ({ id: "", kind, name: kindWord(kind), enabled: true, config: starts[kind], secret: "" });
export const draftOf = (d: DestinationRow): Draft => ({ id: d.id, kind: d.kind as Kind, name: d.name, enabled: d.enabled, config: { ...starts[d.kind as Kind], ...d.config }, secret: "" });

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "16px" }, hint: { margin: 0, color: tokens.colorNeutralForeground2 } });

type TextKey = "url" | "user" | "project" | "issue" | "host" | "from";
interface Line {
  key: TextKey | "port" | "to" | "labels" | "tls" | "api";
  label: string;
  hint?: string;
  required?: boolean;
}

const lines: Record<Kind, readonly Line[]> = {
  webhook: [{ key: "url", label: "Address", required: true, hint: "Where the signed JSON is posted. https, or http to this machine alone." }],
  email: [
    { key: "host", label: "Mail server", required: true },
    { key: "tls", label: "Protection" },
    { key: "port", label: "Port", required: true },
    { key: "from", label: "From", required: true, hint: "Picket <picket@example.org>" },
    { key: "to", label: "To", required: true, hint: "Several addresses are parted by commas." },
    { key: "user", label: "User", hint: "Empty when the server asks for none." },
  ],
  jira: [
    { key: "api", label: "Edition" },
    { key: "url", label: "Address", required: true, hint: "https://yours.atlassian.net" },
    { key: "user", label: "Account", hint: "Cloud: the e-mail address of the API token. Data Center: empty with a personal access token." },
    { key: "project", label: "Project key", required: true },
    { key: "issue", label: "Issue type", required: true },
    { key: "labels", label: "Labels", hint: "Parted by commas." },
  ],
  github: [
    { key: "url", label: "Address of the API", required: true, hint: "https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise Server" },
    { key: "project", label: "Repository", required: true, hint: "owner/name" },
    { key: "labels", label: "Labels", hint: "Parted by commas." },
  ],
  servicenow: [
    { key: "url", label: "Address", required: true, hint: "https://yours.service-now.com" },
    { key: "project", label: "Table", required: true, hint: "incident, or another task table" },
    { key: "user", label: "User", required: true },
  ],
};
const secretWord: Record<Kind, string> = { webhook: "Signing key", email: "Password", jira: "Token", github: "Token", servicenow: "Password" };
const secretHint: Record<Kind, string> = {
  webhook: "At least 16 characters; the receiver checks the signature with it.", email: "Empty when the server asks for none.", jira: "An API token (Cloud) or personal access token.",
  github: "A fine-grained token with read and write access to issues.", servicenow: "",
};

const list = (text: string): string[] => text.split(",").map((t) => t.trim()).filter((t) => t !== "");

/** Sets a destination up, or changes it. */
export function DestinationForm({ first, onClose }: { first: Draft; onClose: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [d, setDraft] = useState(first);
  const [lists, setLists] = useState({ to: (first.config.to ?? []).join(", "), labels: (first.config.labels ?? []).join(", ") });
  const set = (part: Partial<TicketConfig>) => setDraft({ ...d, config: { ...d.config, ...part } });
  const go = useMutation({
    mutationFn: () => {
      const config = { ...d.config };
      if (lines[d.kind].some((l) => l.key === "to")) config.to = list(lists.to);
      if (lines[d.kind].some((l) => l.key === "labels")) config.labels = list(lists.labels);
      return putDestination(d.id, { kind: d.kind, name: d.name.trim(), enabled: d.enabled, config, secret: d.secret });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ticketing.queryKey });
      onClose();
    },
  });
  const input = (l: Line) => {
    switch (l.key) {
      case "tls":
        return <Select value={d.config.tls} onChange={(_, v) => set({ tls: v.value, port: v.value === "tls" ? 465 : v.value === "none" ? 25 : 587 })}><option value="starttls">STARTTLS</option><option value="tls">TLS from the start</option><option value="none">None (no password allowed)</option></Select>;
      case "api":
        return <Select value={d.config.api} onChange={(_, v) => set({ api: v.value })}><option value="3">Jira Cloud</option><option value="2">Jira Data Center or Server</option></Select>;
      case "port":
        return <Input type="number" value={String(d.config.port ?? "")} onChange={(_, v) => set({ port: Number(v.value) })} />;
      case "to":
      case "labels":
        return <Input value={lists[l.key]} onChange={(_, v) => setLists({ ...lists, [l.key]: v.value })} />;
      default:
        return <Input value={d.config[l.key] ?? ""} autoComplete="off" onChange={(_, v) => set({ [l.key]: v.value })} />;
    }
  };
  const title = d.id === "" ? `Add ${kindWord(d.kind)}` : `Change ${first.name}`;
  return (
    <Panel title={title} label={title} width={480} onClose={onClose}>
      <form
        className={s.form}
        onSubmit={(e) => {
          e.preventDefault();
          go.mutate();
        }}
      >
        <p className={s.hint}>{`${kinds.find((k) => k.kind === d.kind)?.means ?? ""}.`}</p>
        <Field label="Name" required hint="As people see it when they request remediation."><Input value={d.name} maxLength={100} onChange={(_, v) => setDraft({ ...d, name: v.value })} /></Field>
        {lines[d.kind].map((l) => <Field key={l.key} label={l.label} hint={l.hint} required={l.required}>{input(l)}</Field>)}
        <Field label={secretWord[d.kind]} hint={d.id === "" ? secretHint[d.kind] : "It is never shown. Leave empty to keep it; enter it again when the address or the user changes."}>
          <Input type="password" autoComplete="new-password" value={d.secret} onChange={(_, v) => setDraft({ ...d, secret: v.value })} />
        </Field>
        <Switch label="Turned on" checked={d.enabled} onChange={(_, v) => setDraft({ ...d, enabled: v.checked })} />
        {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
        <div>
          <Button appearance="primary" type="submit" disabled={go.isPending}>Save</Button>{" "}
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Panel>
  );
}
