import { MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import type { Credentials } from "../../api/schema";
import { Copyable } from "../../ui/Copy";
import { Fact, Facts } from "../../ui/Facts";

const useStyles = makeStyles({ box: { display: "flex", flexDirection: "column", gap: "14px", marginBottom: "20px" } });

/** What a program signs in with. The secret is shown here and never again. */
export function CredentialsBox({ made }: { made: Credentials }) {
  const s = useStyles();
  return (
    <div className={s.box} role="status">
      {made.client_secret !== "" && <MessageBar intent="warning" layout="multiline"><MessageBarBody>The secret is shown only this once. Keep it where secrets are kept.</MessageBarBody></MessageBar>}
      <Facts stack>
        <Fact name="Client id"><Copyable what="client id" text={made.client_id} /></Fact>
        {made.client_secret !== "" && <Fact name="Client secret"><Copyable what="client secret" text={made.client_secret} /></Fact>}
        <Fact name="Tenant id"><Copyable what="tenant id" text={made.tenant_id} /></Fact>
        <Fact name="Token address"><Copyable what="token address" text={made.token_url} /></Fact>
      </Facts>
    </div>
  );
}
