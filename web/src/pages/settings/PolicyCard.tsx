import { Button, Checkbox, Field, MessageBar, MessageBarBody, Radio, RadioGroup, Spinner, Switch, makeStyles } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { signInWays } from "../../api/account";
import { roleNames, setSignInPolicy, signInPolicy } from "../../api/signin";
import type { SignInPolicy } from "../../api/schema";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "14px" }, roles: { display: "flex", flexDirection: "column", paddingLeft: "28px" }, go: { alignSelf: "flex-start" } });

function PolicyForm({ first }: { first: SignInPolicy }) {
  const s = useStyles();
  const client = useQueryClient();
  const { data: roles } = useQuery(roleNames);
  const { data: ways } = useQuery(signInWays);
  const [p, setP] = useState(first);
  const go = useMutation({
    mutationFn: () => setSignInPolicy(p),
    onSuccess: (now) => {
      client.setQueryData(signInPolicy.queryKey, now);
      setP(now);
    },
  });
  const changed = JSON.stringify(p) !== JSON.stringify(first);
  return (
    <form
      className={s.form}
      onSubmit={(e) => {
        e.preventDefault();
        go.mutate();
      }}
    >
      <Field label="A second factor is needed by" hint="Whoever needs one and has none keeps the session, and can do nothing but set one up. People of the identity provider are its matter.">
        <RadioGroup value={p.second_factor} onChange={(_, d) => setP({ ...p, second_factor: d.value as SignInPolicy["second_factor"] })}>
          <Radio value="optional" label="Whoever wants one" />
          <Radio value="roles" label="People with one of these roles" />
          <Radio value="everyone" label="Everyone" />
        </RadioGroup>
      </Field>
      {p.second_factor === "roles" && (
        <div className={s.roles} role="group" aria-label="Roles that need a second factor">
          {(roles ?? []).map((r) => (
            <Checkbox key={r.id} label={r.name} checked={p.roles.includes(r.id)} onChange={(_, d) => setP({ ...p, roles: d.checked ? [...p.roles, r.id] : p.roles.filter((id) => id !== r.id) })} />
          ))}
        </div>
      )}
      <Switch
        label="Only administrators sign in with a password or passkey of Picket"
        checked={p.local_admins_only}
        disabled={!p.local_admins_only && (ways?.single_sign_on ?? "") === ""}
        onChange={(_, d) => setP({ ...p, local_admins_only: d.checked })}
      />
      {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      {go.isSuccess && !changed && <MessageBar intent="success"><MessageBarBody>Saved. It holds from the next request of everybody.</MessageBarBody></MessageBar>}
      <Button className={s.go} appearance="primary" type="submit" disabled={go.isPending || !changed || (p.second_factor === "roles" && p.roles.length === 0)}>Save the policy</Button>
    </form>
  );
}

/** What signing in with an account of Picket takes. */
export function PolicyCard() {
  const { data, error } = useQuery(signInPolicy);
  return <Card title="Policy">{data ? <PolicyForm key={JSON.stringify(data)} first={data} /> : error ? <Empty small title="The policy could not be read">{explain(error)}</Empty> : <Spinner label="Reading …" />}</Card>;
}
