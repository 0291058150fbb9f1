import { Button, MessageBar, MessageBarBody, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { factors, newRecoveryCodes, removeCode } from "../../api/account";
import { explain } from "../../api/client";
import { session } from "../../api/queries";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Empty } from "../../ui/Empty";
import { Moment } from "../../ui/Time";
import { CodeSetup } from "./CodeSetup";
import { RecoverySet } from "./RecoverySet";
import { Sure } from "./Sure";

const useStyles = makeStyles({
  box: { display: "flex", flexDirection: "column", gap: "14px" },
  text: { margin: 0, color: tokens.colorNeutralForeground2 },
  row: { display: "flex", gap: "8px", flexWrap: "wrap" },
});

/** The authenticator app and the recovery codes of the own account. */
export function CodeCard() {
  const s = useStyles();
  const client = useQueryClient();
  const { data: f, error } = useQuery(factors);
  const [asking, setAsking] = useState<"" | "setup" | "remove" | "codes">("");
  const [password, setPassword] = useState("");
  const [fresh, setFresh] = useState<readonly string[]>([]);
  const again = () => Promise.all([client.invalidateQueries({ queryKey: factors.queryKey }), client.invalidateQueries({ queryKey: session.queryKey })]);
  const done = async () => {
    setAsking("");
    setPassword("");
    await again();
  };
  const remove = useMutation({ mutationFn: () => removeCode(password), onSuccess: done });
  const codes = useMutation({
    mutationFn: () => newRecoveryCodes(password),
    onSuccess: async (set) => {
      setFresh(set.codes);
      await done();
    },
  });
  if (!f) return <Card title="Authenticator app">{error ? <Empty small title="Your second factors could not be read">{explain(error)}</Empty> : <Spinner label="Reading …" />}</Card>;
  const any = f.code || f.passkeys.length > 0;
  const start = (what: typeof asking) => {
    remove.reset();
    codes.reset();
    setPassword("");
    setAsking(what);
  };
  const trouble = remove.error ?? codes.error;
  return (
    <Card title="Authenticator app" aside={<Chip tone={f.code ? "good" : f.required && !any ? "warn" : "quiet"}>{f.code ? "On" : f.required && !any ? "Required" : "Off"}</Chip>}>
      <div className={s.box}>
        {fresh.length > 0 ? (
          <RecoverySet codes={fresh} onDone={() => setFresh([])} />
        ) : asking === "setup" ? (
          <CodeSetup
            ask={f.ask_password}
            onCancel={() => setAsking("")}
            onDone={async (set) => {
              setFresh(set);
              await done();
            }}
          />
        ) : asking !== "" ? (
          <>
            <p className={s.text}>{asking === "remove" ? "Remove the app? From then on your password is enough, unless you have a passkey." : "Make ten new recovery codes? The old ones are worth nothing from then on."}</p>
            <Sure ask={f.ask_password} password={password} onChange={setPassword} />
            {trouble && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(trouble)}</MessageBarBody></MessageBar>}
            <div className={s.row}>
              <Button appearance="primary" disabled={remove.isPending || codes.isPending} onClick={() => (asking === "remove" ? remove : codes).mutate()}>{asking === "remove" ? "Remove the app" : "Make new codes"}</Button>
              <Button onClick={() => start("")}>Cancel</Button>
            </div>
          </>
        ) : (
          <>
            <p className={s.text}>
              {f.code ? <>A code of your app is asked for after your password, since <Moment at={f.code_at ?? ""} />.</> : "An app on your telephone shows a new code every 30 seconds. It is asked for after your password."}
            </p>
            {any && <p className={s.text}>{f.recovery_left === 0 ? "No recovery codes are left: make new ones." : `${f.recovery_left} of 10 recovery codes are left.`}</p>}
            <div className={s.row}>
              {!f.code && <Button appearance="primary" onClick={() => start("setup")}>Set up</Button>}
              {any && <Button onClick={() => start("codes")}>New recovery codes</Button>}
              {f.code && <Button onClick={() => start("remove")}>Remove …</Button>}
            </div>
          </>
        )}
      </div>
    </Card>
  );
}
