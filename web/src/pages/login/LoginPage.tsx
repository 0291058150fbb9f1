import { Button, Divider, Field, Input, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { departSSO, passkeySignIn, signIn, signInWays } from "../../api/account";
import { Problem, explain } from "../../api/client";
import { passkeysWork } from "../../api/passkey";
import { session } from "../../api/queries";
import type { SecondStep, SignIn } from "../../api/schema";
import { Frame } from "./Frame";
import { SecondStepForm } from "./SecondStepForm";

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "16px" }, go: { alignSelf: "flex-end", minWidth: "110px" }, other: { display: "flex", flexDirection: "column", gap: "12px", marginTop: "20px" }, first: { display: "flex", flexDirection: "column", gap: "20px", marginBottom: "12px" } });

/** Where to go after sign-in: a path of this console, never another site. */
export function nextPath(next: string | undefined): string {
  return next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\") && !next.startsWith("/login") ? next : "/devices";
}

function Leave({ to }: { to: string }) {
  const navigate = useNavigate();
  useEffect(() => void navigate({ href: to, replace: true }), [navigate, to]);
  return null;
}

/** Why a sign-in failed, in words that do not say too much. */
export function signInTrouble(err: unknown, wrong: string): string {
  return err instanceof Problem && err.status === 401 ? wrong : explain(err);
}

/** Why a sign-in at the identity provider came to nothing. */
const troubles: Record<string, string> = {
  state: "This sign-in was begun elsewhere, or too long ago. Try again.",
  provider: "The identity provider did not let you in. Try again, or ask its administrators.",
  token: "What the identity provider sent does not hold. An administrator finds more in the server's log.",
  disabled: "Your account is disabled in Picket. Ask an administrator.",
  group: "None of your groups is let into Picket. Ask an administrator.",
  unavailable: "Signing in at the identity provider did not work. Try again soon.",
};

/** Sign-in with user name and password, and what may follow or stand in for them. */
export function LoginPage() {
  const s = useStyles();
  const client = useQueryClient();
  const { next, trouble: brought }: { next?: string; trouble?: string } = useSearch({ strict: false });
  const { data: ways } = useQuery(signInWays);
  const { data: me } = useQuery(session);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [step, setStep] = useState<SecondStep>();
  const came = (got: SignIn) => {
    if (got.me) client.setQueryData(session.queryKey, got.me);
    setStep(got.step);
  };
  const go = useMutation({ mutationFn: () => signIn(name.trim(), password), onSuccess: came, onSettled: () => setPassword("") });
  const key = useMutation({ mutationFn: () => passkeySignIn(), onSuccess: came });
  const sso = useMutation({ mutationFn: () => departSSO(nextPath(next)) });
  if (me) return <Leave to={me.needs_factor ? "/settings/account" : nextPath(next)} />;
  if (step) return <SecondStepForm step={step} onDone={came} onBack={() => setStep(undefined)} />;
  const trouble = go.error ? signInTrouble(go.error, "User name or password is wrong.") : key.error ? signInTrouble(key.error, "This passkey is not known here, or is no longer accepted.") : sso.error ? explain(sso.error) : brought && !go.isPending ? (troubles[brought] ?? troubles.unavailable ?? "") : "";
  return (
    <Frame title="Sign in" text={ways?.local_admins_only ? "The form is for administrators; everybody else signs in with the organisation." : undefined}>
      {ways && ways.single_sign_on !== "" && (
        <div className={s.first}>
          <Button appearance="primary" size="large" disabled={sso.isPending} onClick={() => sso.mutate()}>{ways.single_sign_on}</Button>
          <Divider>or</Divider>
        </div>
      )}
      <form
        className={s.form}
        onSubmit={(e) => {
          e.preventDefault();
          key.reset();
          go.mutate();
        }}
      >
        {trouble && (
          <MessageBar intent="error" layout="multiline">
            <MessageBarBody>{trouble}</MessageBarBody>
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
      {passkeysWork() && (
        <div className={s.other}>
          <Divider>or</Divider>
          <Button
            disabled={key.isPending}
            onClick={() => {
              go.reset();
              key.mutate();
            }}
          >
            Sign in with a passkey
          </Button>
        </div>
      )}
    </Frame>
  );
}
