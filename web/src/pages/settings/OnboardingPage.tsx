import { Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { onboarding } from "../../api/queries";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { Card } from "../../ui/Card";
import { CopyButton, Copyable, Mono } from "../../ui/Copy";
import { Fact, Facts } from "../../ui/Facts";
import { TokenForm } from "./TokenForm";
import { TokenList } from "./TokenList";

const useStyles = makeStyles({
  stack: { display: "flex", flexDirection: "column", gap: "16px", marginTop: "20px", maxWidth: "1000px" },
  text: { margin: "0 0 12px", color: tokens.colorNeutralForeground2 },
});

/** How devices come in: the install command and the tokens. */
export function OnboardingPage() {
  const s = useStyles();
  const { data: o, error, refetch } = useQuery(onboarding);
  const [secret, setSecret] = useState("");
  if (error && !o) return <ErrorPage error={error} retry={() => void refetch()} />;
  return (
    <PageHead title="Onboarding" scroll text="A device is enrolled by its agent, with a token that you create here. The agent's key is born on the host and never leaves it.">
      {!o ? (
        <Spinner label="Reading …" />
      ) : (
        <div className={s.stack}>
          <Card title="1. Create an enrolment token">
            <TokenForm secret={secret} onCreated={setSecret} />
          </Card>
          <Card title="2. Run the agent on the host">
            <p className={s.text}>
              {secret ? "Run this as root on the host. The token is filled in; this page shows it only now." : "Run this as root on the host, with a token in place of TOKEN. Create one above and it is filled in for you."}
            </p>
            <Copyable what="install command" text={secret ? o.command.replaceAll("TOKEN", secret) : o.command} />
          </Card>
          <Card title="Tokens">
            <TokenList />
          </Card>
          <Card title="This server">
            <Facts>
              <Fact name="Address for agents" wide><Mono>{o.server_url}</Mono> <CopyButton text={o.server_url} what="address" /></Fact>
              <Fact name="SHA-256 of the server's CA certificate" wide><Mono>{o.ca_sha256}</Mono> <CopyButton text={o.ca_sha256} what="fingerprint" /></Fact>
              <Fact name="CA certificate" wide><Copyable what="CA certificate" text={o.ca_pem.trim()} /></Fact>
            </Facts>
          </Card>
        </div>
      )}
    </PageHead>
  );
}
