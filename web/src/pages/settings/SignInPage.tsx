import { makeStyles } from "@fluentui/react-components";
import { PageHead } from "../../app/PageHead";
import { LocksCard } from "./LocksCard";
import { PolicyCard } from "./PolicyCard";
import { ProvisioningCard } from "./ProvisioningCard";
import { SsoCard } from "./SsoCard";

const useStyles = makeStyles({
  grid: { display: "grid", gap: "16px", gridTemplateColumns: "repeat(auto-fit, minmax(420px, 1fr))", alignItems: "start", maxWidth: "1280px", marginTop: "20px" },
  column: { display: "flex", flexDirection: "column", gap: "16px", minWidth: 0 },
});

/** What signing in takes, for administrators. */
export function SignInPage() {
  const s = useStyles();
  return (
    <PageHead title="Sign-in" scroll text="What signing in takes, the identity provider of your organisation, and who failed to sign in.">
      <div className={s.grid}>
        <div className={s.column}>
          <PolicyCard />
          <ProvisioningCard />
          <LocksCard />
        </div>
        <SsoCard />
      </div>
    </PageHead>
  );
}
