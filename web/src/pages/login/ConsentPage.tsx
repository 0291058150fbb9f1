import { MessageBar, MessageBarBody, Spinner } from "@fluentui/react-components";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../../api/client";
import { consent, decideConsent } from "../../api/consent";
import { Frame } from "./Frame";
import { Asked } from "./Asked";
import { SignedIn } from "./SignedIn";

const troubles: Record<string, string> = {
  invalid_client: "The application that sent you here is not registered in Picket, or turned off.",
  invalid_redirect: "The application wants you sent back to an address that is not registered for it. Do not go on there.",
};

/** Where an application sends people who are to let it act for them. */
export function ConsentPage() {
  const { ask = "", trouble }: { ask?: string; trouble?: string } = useSearch({ strict: false });
  if (trouble !== undefined || ask === "") return <Frame title="This cannot go on" text={troubles[trouble ?? ""] ?? "The request cannot be read. Go back to the application and begin again."} />;
  return <SignedIn>{(me) => <Decide ask={ask} who={me.display_name || me.username} />}</SignedIn>;
}

function Decide({ ask, who }: { ask: string; who: string }) {
  const { data, error } = useQuery(consent(ask));
  const [left, setLeft] = useState(false);
  const go = useMutation({
    mutationFn: (allow: boolean) => decideConsent(ask, allow),
    onSuccess: ({ address }) => {
      setLeft(true);
      window.location.assign(address);
    },
  });
  if (error) return <Frame title="This cannot go on"><MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(error)}</MessageBarBody></MessageBar></Frame>;
  if (!data) return <Frame title="One moment"><Spinner label="Reading …" /></Frame>;
  if (left) return <Frame title="Done" text={`You can close this page if ${data.application} has gone on.`} />;
  return (
    <Frame title={`Let ${data.application} act for you?`}>
      <Asked asked={data} who={who} error={go.error} busy={go.isPending} onDecide={(allow) => go.mutate(allow)} />
    </Frame>
  );
}
