import { Button, Field, Input, Link, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { passkeySignIn, secondFactor } from "../../api/account";
import { Problem, explain } from "../../api/client";
import { passkeysWork } from "../../api/passkey";
import type { SecondStep, SignIn } from "../../api/schema";
import { Frame } from "./Frame";

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "16px" }, row: { display: "flex", justifyContent: "flex-end", gap: "8px" }, links: { display: "flex", flexDirection: "column", alignItems: "flex-start", gap: "8px" } });

type Way = "code" | "passkey" | "recovery";

const texts: Record<Way, string> = {
  code: "Enter the code that your authenticator app shows for Picket.",
  passkey: "Confirm with the passkey or security key of your account.",
  recovery: "Enter one of the recovery codes that you kept. Each works once.",
};
const links: Record<Way, string> = { code: "Use the authenticator app", passkey: "Use a passkey", recovery: "Use a recovery code" };
const wrong: Record<Way, string> = {
  code: "This code is wrong, or was used already. Wait for the next one. If the app keeps being refused, compare its clock with the server's.",
  passkey: "This passkey is not accepted.",
  recovery: "This recovery code is wrong, or was used already.",
};

/** The second factor of a sign-in. */
export function SecondStepForm({ step, onDone, onBack }: { step: SecondStep; onDone: (got: SignIn) => void; onBack: () => void }) {
  const s = useStyles();
  const ways = (step.factors as Way[]).filter((w) => w !== "passkey" || passkeysWork());
  const [way, setWay] = useState<Way>(ways.includes("passkey") ? "passkey" : (ways[0] ?? "recovery"));
  const [code, setCode] = useState("");
  const go = useMutation({
    mutationFn: () => (way === "passkey" ? passkeySignIn(step.ticket) : secondFactor(step.ticket, way, code)),
    onSuccess: onDone,
    onSettled: () => setCode(""),
  });
  const trouble = go.error instanceof Problem && go.error.status === 401 ? wrong[way] : go.error ? explain(go.error) : "";
  return (
    <Frame title="One more step" text={texts[way]}>
      <form
        className={s.form}
        onSubmit={(e) => {
          e.preventDefault();
          go.mutate();
        }}
      >
        {trouble && <MessageBar intent="error" layout="multiline"><MessageBarBody>{trouble}</MessageBarBody></MessageBar>}
        {way === "code" && (
          <Field label="Code" required>
            <Input key="code" value={code} autoFocus inputMode="numeric" autoComplete="one-time-code" maxLength={10} onChange={(_, d) => setCode(d.value)} />
          </Field>
        )}
        {way === "recovery" && (
          <Field label="Recovery code" required>
            <Input key="recovery" value={code} autoFocus autoComplete="off" maxLength={40} onChange={(_, d) => setCode(d.value)} />
          </Field>
        )}
        <div className={s.row}>
          <Button onClick={onBack}>Back</Button>
          <Button appearance="primary" type="submit" autoFocus={way === "passkey"} disabled={go.isPending || (way !== "passkey" && code.trim() === "")}>{way === "passkey" ? "Use the passkey" : "Sign in"}</Button>
        </div>
        <div className={s.links}>
          {ways.filter((w) => w !== way).map((w) => (
            <Link
              key={w}
              as="button"
              type="button"
              onClick={() => {
                go.reset();
                setCode("");
                setWay(w);
              }}
            >
              {links[w]}
            </Link>
          ))}
        </div>
      </form>
    </Frame>
  );
}
