import { Button, Field, Input, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../../api/client";
import { decideDevice, deviceConsent } from "../../api/consent";
import { Frame } from "./Frame";
import { Asked } from "./Asked";
import { SignedIn } from "./SignedIn";

const useStyles = makeStyles({ form: { display: "flex", flexDirection: "column", gap: "16px" }, go: { alignSelf: "flex-end" } });

/** Where people type the code that a device shows. */
export function DeviceCodePage() {
  const { code = "" }: { code?: string } = useSearch({ strict: false });
  return <SignedIn>{(me) => <Type first={code} who={me.display_name || me.username} />}</SignedIn>;
}

function Type({ first, who }: { first: string; who: string }) {
  const s = useStyles();
  const [code, setCode] = useState(first);
  const look = useMutation({ mutationFn: () => deviceConsent(code) });
  const go = useMutation({ mutationFn: (allow: boolean) => decideDevice(code, allow) });
  if (go.isSuccess) return <Frame title={go.variables ? "The device is let in" : "The device is refused"} text="You can close this page and go on at the device." />;
  if (look.data) {
    return (
      <Frame title={`Let ${look.data.application} act for you?`} text={`The device has to show the code ${code.toUpperCase()}.`}>
        <Asked asked={look.data} who={who} error={go.error} busy={go.isPending} onDecide={(allow) => go.mutate(allow)} />
      </Frame>
    );
  }
  return (
    <Frame title="Connect a device">
      <form
        className={s.form}
        onSubmit={(e) => {
          e.preventDefault();
          look.mutate();
        }}
      >
        <Field label="Code that the device shows" required><Input value={code} maxLength={20} autoComplete="off" spellCheck={false} placeholder="XXXX-XXXX" onChange={(_, d) => setCode(d.value)} /></Field>
        {look.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(look.error)}</MessageBarBody></MessageBar>}
        <Button className={s.go} appearance="primary" type="submit" disabled={look.isPending || code.trim() === ""}>Next</Button>
      </form>
    </Frame>
  );
}
