import { Field, Radio, RadioGroup, makeStyles } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { session } from "../../api/queries";
import { PageHead } from "../../app/PageHead";
import { setPrefs, usePrefs, type Prefs } from "../../app/prefs";
import { Card } from "../../ui/Card";
import { Fact, Facts } from "../../ui/Facts";
import { OwnTokens } from "./OwnTokens";
import { Grants } from "./Grants";
import { CodeCard } from "./CodeCard";
import { PasskeysCard } from "./PasskeysCard";
import { PasswordForm } from "./PasswordForm";
import { SessionsCard } from "./SessionsCard";

const useStyles = makeStyles({ grid: { columnWidth: "380px", columnGap: "16px", maxWidth: "1180px", marginTop: "20px", "& > section": { breakInside: "avoid", marginBottom: "16px" } } });

/** The account of who is signed in, and the look of the console. */
export function AccountPage() {
  const s = useStyles();
  const { data: me } = useQuery(session);
  const { theme, density } = usePrefs();
  if (!me) return null;
  return (
    <PageHead title="My account" scroll text="How you sign in, where you are signed in, and how the console looks to you.">
      <div className={s.grid}>
        <Card title="Password">
          <PasswordForm has={!me.needs_password} />
        </Card>
        <CodeCard />
        <PasskeysCard />
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
      <div style={{ maxWidth: 1180, marginBlock: 16 }}><Card title="Applications that act for you"><Grants /></Card></div>
      <SessionsCard />
    </PageHead>
  );
}
