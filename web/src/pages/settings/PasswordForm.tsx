import { Button, Field, Input, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sessions } from "../../api/account";
import { explain } from "../../api/client";
import { session, setPassword, status } from "../../api/queries";

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "14px" }, go: { alignSelf: "flex-start" } });

const least = 12;

/** Sets the own password. */
export function PasswordForm({ has }: { has: boolean }) {
  const s = useStyles();
  const client = useQueryClient();
  const [current, setCurrent] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const go = useMutation({
    mutationFn: () => setPassword(current, fresh),
    onSuccess: async () => {
      setCurrent("");
      setFresh("");
      setAgain("");
      await Promise.all([client.invalidateQueries({ queryKey: session.queryKey }), client.invalidateQueries({ queryKey: status.queryKey }), client.invalidateQueries({ queryKey: sessions.queryKey })]);
    },
  });
  const short = fresh !== "" && fresh.length < least;
  const differs = again !== "" && again !== fresh;
  return (
    <form
      className={s.form}
      onSubmit={(e) => {
        e.preventDefault();
        go.mutate();
      }}
    >
      {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      {go.isSuccess && <MessageBar intent="success"><MessageBarBody>The password is set. All your other sessions have ended.</MessageBarBody></MessageBar>}
      {has && (
        <Field label="Current password" required>
          <Input type="password" value={current} autoComplete="current-password" onChange={(_, d) => setCurrent(d.value)} />
        </Field>
      )}
      <Field label="New password" required validationState={short ? "error" : "none"} validationMessage={short ? `At least ${least} characters.` : undefined} hint={`At least ${least} characters; several words make a good one.`}>
        <Input type="password" value={fresh} autoComplete="new-password" onChange={(_, d) => setFresh(d.value)} />
      </Field>
      <Field label="New password again" required validationState={differs ? "error" : "none"} validationMessage={differs ? "The two differ." : undefined}>
        <Input type="password" value={again} autoComplete="new-password" onChange={(_, d) => setAgain(d.value)} />
      </Field>
      <Button className={s.go} appearance="primary" type="submit" disabled={go.isPending || fresh.length < least || fresh !== again || (has && current === "")}>{has ? "Change password" : "Set password"}</Button>
    </form>
  );
}
