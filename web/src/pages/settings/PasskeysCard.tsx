import { Button, Field, Input, MessageBar, MessageBarBody, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { addPasskey, factors, removePasskey, renamePasskey } from "../../api/account";
import { explain } from "../../api/client";
import { passkeysWork } from "../../api/passkey";
import { session } from "../../api/queries";
import type { PasskeyRow } from "../../api/schema";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Ago, Moment } from "../../ui/Time";
import { RecoverySet } from "./RecoverySet";
import { Sure } from "./Sure";

const useStyles = makeStyles({
  box: { display: "flex", flexDirection: "column", gap: "14px" },
  text: { margin: 0, color: tokens.colorNeutralForeground2 },
  list: { listStyleType: "none", margin: 0, padding: 0 },
  item: { display: "flex", gap: "8px", alignItems: "center", padding: "8px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}` },
  words: { flexGrow: 1, minWidth: 0 },
  name: { fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  small: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  row: { display: "flex", gap: "8px" },
});

type Doing = { what: "add" } | { what: "rename" | "remove"; key: PasskeyRow };

/** The passkeys of the own account. */
export function PasskeysCard() {
  const s = useStyles();
  const client = useQueryClient();
  const { data: f } = useQuery(factors);
  const [doing, setDoing] = useState<Doing>();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [fresh, setFresh] = useState<readonly string[]>([]);
  const go = useMutation({
    mutationFn: async (d: Doing): Promise<readonly string[]> => {
      if (d.what === "add") return (await addPasskey(name.trim(), password)).codes;
      await (d.what === "rename" ? renamePasskey(d.key.id, name.trim()) : removePasskey(d.key.id, password));
      return [];
    },
    onSuccess: async (codes) => {
      setFresh(codes);
      setDoing(undefined);
      await Promise.all([client.invalidateQueries({ queryKey: factors.queryKey }), client.invalidateQueries({ queryKey: session.queryKey })]);
    },
  });
  if (!f) return <Card title="Passkeys"><Spinner label="Reading …" /></Card>;
  const start = (d?: Doing) => {
    go.reset();
    setName(d?.what === "rename" ? d.key.name : "");
    setPassword("");
    setDoing(d);
  };
  const verbs = { add: "Register a passkey", rename: "Save the name", remove: "Remove the passkey" };
  return (
    <Card title="Passkeys" aside={<Chip tone={f.passkeys.length > 0 ? "good" : "quiet"}>{f.passkeys.length > 0 ? `${f.passkeys.length}` : "None"}</Chip>}>
      <div className={s.box}>
        {fresh.length > 0 && <RecoverySet codes={fresh} onDone={() => setFresh([])} />}
        {f.passkeys.length === 0 && <p className={s.text}>Sign in with the fingerprint, face or PIN of a device, or with a security key, and without a password. A passkey also stands in for the code of an app.</p>}
        {f.passkeys.length > 0 && (
          <ul className={s.list}>
            {f.passkeys.map((k) => (
              <li key={k.id} className={s.item}>
                <div className={s.words}>
                  <div className={s.name}>{k.name}</div>
                  <div className={s.small}>Since <Moment at={k.created_at} />{k.used_at ? <>, used <Ago at={k.used_at} /></> : ", never used"}{k.synced ? ", may be synchronised" : ""}</div>
                  {k.doubt && <Chip tone="bad" title="Its counter went backwards once. It is refused: remove it.">There may be a copy: refused</Chip>}
                </div>
                <Button size="small" onClick={() => start({ what: "rename", key: k })} aria-label={`Rename ${k.name}`}>Rename</Button>
                <Button size="small" onClick={() => start({ what: "remove", key: k })} aria-label={`Remove ${k.name} …`}>Remove …</Button>
              </li>
            ))}
          </ul>
        )}
        {!doing ? (
          <div className={s.row}>
            <Button appearance={f.passkeys.length === 0 ? "primary" : "secondary"} disabled={!passkeysWork()} title={passkeysWork() ? undefined : "This browser, or this address, has no passkeys. They need HTTPS or localhost."} onClick={() => start({ what: "add" })}>Add a passkey</Button>
          </div>
        ) : (
          <form
            className={s.box}
            onSubmit={(e) => {
              e.preventDefault();
              go.mutate(doing);
            }}
          >
            {doing.what === "remove" ? (
              <p className={s.text}>{`Remove “${doing.key.name}”? It opens nothing from then on.`}</p>
            ) : (
              <Field label="Name" required hint="Such as the device that holds it.">
                <Input value={name} autoFocus maxLength={100} onChange={(_, d) => setName(d.value)} />
              </Field>
            )}
            <Sure ask={f.ask_password && doing.what !== "rename"} password={password} onChange={setPassword} />
            {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
            <div className={s.row}>
              <Button appearance="primary" type="submit" disabled={go.isPending || (doing.what !== "remove" && name.trim() === "")}>{verbs[doing.what]}</Button>
              <Button onClick={() => start()}>Cancel</Button>
            </div>
          </form>
        )}
      </div>
    </Card>
  );
}
