import { Button, Field, Input, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Problem, explain } from "../../api/client";
import { session, signIn } from "../../api/queries";
import { Frame } from "./Frame";

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "16px" }, go: { alignSelf: "flex-end", minWidth: "110px" } });

/** Where to go after sign-in: a path of this console, never another site. */
export function nextPath(next: string | undefined): string {
  return next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\") && !next.startsWith("/login") ? next : "/devices";
}

function Leave({ to }: { to: string }) {
  const navigate = useNavigate();
  useEffect(() => void navigate({ href: to, replace: true }), [navigate, to]);
  return null;
}

/** Sign-in with user name and password. */
export function LoginPage() {
  const s = useStyles();
  const client = useQueryClient();
  const { next }: { next?: string } = useSearch({ strict: false });
  const { data: me } = useQuery(session);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const go = useMutation({
    mutationFn: () => signIn(name.trim(), password),
    onSuccess: (who) => client.setQueryData(session.queryKey, who),
    onSettled: () => setPassword(""),
  });
  if (me) return <Leave to={nextPath(next)} />;
  const wrong = go.error instanceof Problem && go.error.status === 401;
  return (
    <Frame title="Sign in">
      <form
        className={s.form}
        onSubmit={(e) => {
          e.preventDefault();
          go.mutate();
        }}
      >
        {go.error && (
          <MessageBar intent="error" layout="multiline">
            <MessageBarBody>{wrong ? "User name or password is wrong." : explain(go.error)}</MessageBarBody>
          </MessageBar>
        )}
        <Field label="User name" required>
          <Input value={name} autoComplete="username" onChange={(_, d) => setName(d.value)} />
        </Field>
        <Field label="Password" required hint="No password yet? Use the one-time link that the server printed when it started.">
          <Input type="password" value={password} autoComplete="current-password" onChange={(_, d) => setPassword(d.value)} />
        </Field>
        <Button className={s.go} appearance="primary" type="submit" disabled={go.isPending || name.trim() === "" || password === ""}>Sign in</Button>
      </form>
    </Frame>
  );
}
