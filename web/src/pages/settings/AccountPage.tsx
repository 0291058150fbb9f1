import { Button, Field, Input, MessageBar, MessageBarBody, Radio, RadioGroup, makeStyles } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { session, setPassword, status } from "../../api/queries";
import { PageHead } from "../../app/PageHead";
import { setPrefs, usePrefs, type Prefs } from "../../app/prefs";
import { Card } from "../../ui/Card";
import { Fact, Facts } from "../../ui/Facts";
import { OwnTokens } from "./OwnTokens";

const useStyles = makeStyles({
  grid: { columnWidth: "380px", columnGap: "16px", maxWidth: "1120px", marginTop: "20px", "& > section": { breakInside: "avoid", marginBottom: "16px" } },
  form: { display: "flex", flexDirection: "column", gap: "14px" },
  go: { alignSelf: "flex-start" },
});

const least = 12;

function PasswordForm({ has }: { has: boolean }) {
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
      await Promise.all([client.invalidateQueries({ queryKey: session.queryKey }), client.invalidateQueries({ queryKey: status.queryKey })]);
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
      {go.isSuccess && <MessageBar intent="success"><MessageBarBody>The password is set.</MessageBarBody></MessageBar>}
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

/** The account of who is signed in, and the look of the console. */
export function AccountPage() {
  const s = useStyles();
  const { data: me } = useQuery(session);
  const { theme, density } = usePrefs();
  if (!me) return null;
  return (
    <PageHead title="Account" scroll text="Your password, and how the console looks to you.">
      <div className={s.grid}>
        <Card title="Password">
          <PasswordForm has={!me.needs_password} />
        </Card>
        <Card title="Look">
          <Field label="Theme">
            <RadioGroup value={theme} onChange={(_, d) => setPrefs({ theme: d.value as Prefs["theme"] })}>
              <Radio value="system" label="As the system" />
              <Radio value="light" label="Light" />
              <Radio value="dark" label="Dark" />
              <Radio value="contrast" label="High contrast" />
            </RadioGroup>
          </Field>
          <Field label="Rows of lists" style={{ marginTop: 12 }}>
            <RadioGroup value={density} onChange={(_, d) => setPrefs({ density: d.value as Prefs["density"] })}>
              <Radio value="comfortable" label="Comfortable" />
              <Radio value="compact" label="Compact" />
            </RadioGroup>
          </Field>
        </Card>
        <OwnTokens />
        <Card title="You">
          <Facts>
            <Fact name="Name">{me.display_name}</Fact>
            <Fact name="User name">{me.username}</Fact>
            <Fact name="Role">{me.role}</Fact>
          </Facts>
        </Card>
      </div>
    </PageHead>
  );
}
