import { Button, Field, Input, MessageBar, MessageBarBody, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { beginCode, confirmCode } from "../../api/account";
import { explain } from "../../api/client";
import { Copyable } from "../../ui/Copy";
import { QRCode } from "../../ui/QRCode";
import { Sure } from "./Sure";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "14px" },
  text: { margin: 0, color: tokens.colorNeutralForeground2 },
  row: { display: "flex", gap: "8px" },
});

/** Sets an authenticator app up: shows the secret, and takes the first code. */
export function CodeSetup({ ask, onDone, onCancel }: { ask: boolean; onDone: (recovery: readonly string[]) => Promise<void>; onCancel: () => void }) {
  const s = useStyles();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const begin = useMutation({ mutationFn: () => beginCode(password) });
  const confirm = useMutation({ mutationFn: () => confirmCode(code), onSuccess: (set) => onDone(set.codes) });
  const key = begin.data;
  const trouble = begin.error ?? confirm.error;
  return (
    <form
      className={s.form}
      onSubmit={(e) => {
        e.preventDefault();
        if (key) confirm.mutate();
        else begin.mutate();
      }}
    >
      {!key ? (
        <>
          <p className={s.text}>Any app for one-time codes will do. Have your telephone at hand.</p>
          <Sure ask={ask} password={password} onChange={setPassword} />
        </>
      ) : (
        <>
          <p className={s.text}>Scan the picture with the app, or type the secret. Then enter the code that the app shows.</p>
          <QRCode text={key.address} label="The secret as a QR code, for the app's camera" />
          <Copyable text={key.secret.replace(/(.{4})(?=.)/g, "$1 ")} what="secret" />
          <Field label="Code" required>
            <Input value={code} autoFocus inputMode="numeric" autoComplete="one-time-code" maxLength={10} onChange={(_, d) => setCode(d.value)} />
          </Field>
        </>
      )}
      {trouble && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(trouble)}</MessageBarBody></MessageBar>}
      <div className={s.row}>
        <Button appearance="primary" type="submit" disabled={begin.isPending || confirm.isPending || (!key && ask && password === "") || (key && code.trim() === "")}>{key ? "Turn on" : "Continue"}</Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
