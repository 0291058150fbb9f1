import { Button, Field, Input, MessageBar, MessageBarBody, Select, Spinner, Switch, makeStyles, tokens } from "@fluentui/react-components";
import { DismissRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { signInWays } from "../../api/account";
import { explain } from "../../api/client";
import { setSingleSignOn, singleSignOn, testSingleSignOn, userGroupNames } from "../../api/signin";
import type { GroupMapping, SingleSignOnEdit, SingleSignOnView } from "../../api/schema";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Copyable } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "14px" },
  text: { margin: 0, color: tokens.colorNeutralForeground2 },
  row: { display: "flex", gap: "8px", flexWrap: "wrap" },
  map: { display: "grid", gridTemplateColumns: "1fr 1fr 32px", gap: "8px", alignItems: "center" },
});

function SsoForm({ first }: { first: SingleSignOnView }) {
  const s = useStyles();
  const client = useQueryClient();
  const { data: groups } = useQuery(userGroupNames);
  const [d, setD] = useState(first);
  const [scopes, setScopes] = useState(first.scopes.join(" "));
  const [secret, setSecret] = useState("");
  const edit = (): SingleSignOnEdit => ({
    enabled: d.enabled, name: d.name, issuer: d.issuer, client_id: d.client_id, scopes: scopes.split(/[\s,]+/).filter((x) => x !== ""), group_claim: d.group_claim, link_claim: d.link_claim,
    groups: d.groups, require_group: d.require_group, ...(secret === "" ? {} : { secret }),
  });
  const test = useMutation({ mutationFn: () => testSingleSignOn(edit()) });
  const go = useMutation({
    mutationFn: () => setSingleSignOn(edit()),
    onSuccess: async (now) => {
      client.setQueryData(singleSignOn.queryKey, now);
      setD(now);
      setSecret("");
      await client.invalidateQueries({ queryKey: signInWays.queryKey });
    },
  });
  const set = (i: number, m: Partial<GroupMapping>) => setD({ ...d, groups: d.groups.map((g, n) => (n === i ? { ...g, ...m } : g)) });
  const trouble = go.error ?? test.error;
  return (
    <form
      className={s.form}
      onSubmit={(e) => {
        e.preventDefault();
        test.reset();
        go.mutate();
      }}
    >
      <p className={s.text}>Register Picket at the provider as a web application that signs in by authorization code, with this address to come back to:</p>
      <Copyable text={d.redirect} what="redirect address" />
      <Field label="Issuer" required hint="As the provider writes it, such as https://login.example.org/realms/main"><Input value={d.issuer} type="url" maxLength={500} onChange={(_, v) => setD({ ...d, issuer: v.value })} /></Field>
      <Field label="Client id" required><Input value={d.client_id} autoComplete="off" maxLength={500} onChange={(_, v) => setD({ ...d, client_id: v.value })} /></Field>
      <Field label="Client secret" hint={d.has_secret ? "It is never shown. Leave empty to keep it." : "Empty for a public client."}><Input type="password" autoComplete="new-password" value={secret} maxLength={4096} onChange={(_, v) => setSecret(v.value)} /></Field>
      <Field label="Words on the button"><Input value={d.name} maxLength={100} onChange={(_, v) => setD({ ...d, name: v.value })} /></Field>
      <Field label="Scopes" hint="Besides openid, parted by spaces."><Input value={scopes} onChange={(_, v) => setScopes(v.value)} /></Field>
      <Field label="Claim with groups" hint="Such as groups or roles. Empty: user groups are given here or by provisioning."><Input value={d.group_claim} maxLength={200} onChange={(_, v) => setD({ ...d, group_claim: v.value })} /></Field>
      {d.group_claim.trim() !== "" && (
        <>
          <div role="group" aria-label="User groups by claim" className={s.form}>
            {d.groups.map((g, i) => (
              <div key={i} className={s.map}>
                <Input aria-label={`Value ${i + 1} of the claim`} placeholder="Value of the claim" value={g.value} maxLength={500} onChange={(_, v) => set(i, { value: v.value })} />
                <Select aria-label={`User group for value ${i + 1}`} value={String(g.user_group)} onChange={(_, v) => set(i, { user_group: Number(v.value) })}>
                  <option value="0">Choose a user group</option>
                  {(groups ?? []).map((u) => <option key={u.id} value={String(u.id)}>{u.name}</option>)}
                </Select>
                <Button type="button" appearance="subtle" icon={<DismissRegular />} aria-label={`Remove value ${i + 1}`} onClick={() => setD({ ...d, groups: d.groups.filter((_g, n) => n !== i) })} />
              </div>
            ))}
          </div>
          <div className={s.row}><Button type="button" onClick={() => setD({ ...d, groups: [...d.groups, { value: "", user_group: 0 }] })}>Add a value</Button></div>
          <Switch label="Let nobody in who is in none of these groups" checked={d.require_group} onChange={(_, v) => setD({ ...d, require_group: v.checked })} />
        </>
      )}
      <Field label="Claim that provisioning calls externalId" hint="Ties provisioned accounts to people: oid for Entra ID; empty is sub, as for Okta."><Input value={d.link_claim} maxLength={200} onChange={(_, v) => setD({ ...d, link_claim: v.value })} /></Field>
      <Switch label="Turned on" checked={d.enabled} onChange={(_, v) => setD({ ...d, enabled: v.checked })} />
      {test.data && <MessageBar intent={test.data.ok ? "success" : "error"} layout="multiline"><MessageBarBody>{`${test.data.text} ${test.data.mend}`}</MessageBarBody></MessageBar>}
      {trouble && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(trouble)}</MessageBarBody></MessageBar>}
      {go.isSuccess && !test.data && <MessageBar intent="success"><MessageBarBody>Saved.</MessageBarBody></MessageBar>}
      <div className={s.row}>
        <Button appearance="primary" type="submit" disabled={go.isPending || d.issuer.trim() === "" || d.client_id.trim() === ""}>Save</Button>
        <Button type="button" disabled={test.isPending || d.issuer.trim() === "" || d.client_id.trim() === ""} onClick={() => test.mutate()}>Test the connection</Button>
      </div>
    </form>
  );
}

/** The identity provider. */
export function SsoCard() {
  const { data, error } = useQuery(singleSignOn);
  return (
    <Card title="Single sign-on (OpenID Connect)" aside={data && <Chip tone={data.enabled ? "good" : "quiet"}>{data.enabled ? "On" : "Off"}</Chip>}>
      {data ? <SsoForm first={data} /> : error ? <Empty small title="Single sign-on could not be read">{explain(error)}</Empty> : <Spinner label="Reading …" />}
    </Card>
  );
}
