import { Button, MessageBar, MessageBarBody, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { endProvisioning, makeProvisioningToken, provisioning } from "../../api/signin";
import { number } from "../../lib/format";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Copyable } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";
import { Fact, Facts } from "../../ui/Facts";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({ box: { display: "flex", flexDirection: "column", gap: "14px" }, text: { margin: 0, color: tokens.colorNeutralForeground2 }, row: { display: "flex", gap: "8px", flexWrap: "wrap" } });

/** Accounts and groups that a directory provisions. */
export function ProvisioningCard() {
  const s = useStyles();
  const client = useQueryClient();
  const { data: p, error } = useQuery(provisioning);
  const [secret, setSecret] = useState("");
  const [sure, setSure] = useState<"" | "new" | "end">("");
  const settled = async () => {
    setSure("");
    await client.invalidateQueries({ queryKey: provisioning.queryKey });
  };
  const make = useMutation({
    mutationFn: makeProvisioningToken,
    onSuccess: async (t) => {
      setSecret(t.secret);
      await settled();
    },
  });
  const stop = useMutation({
    mutationFn: endProvisioning,
    onSuccess: async () => {
      setSecret("");
      await settled();
    },
  });
  if (!p) return <Card title="Provisioning (SCIM)">{error ? <Empty small title="Provisioning could not be read">{explain(error)}</Empty> : <Spinner label="Reading …" />}</Card>;
  const trouble = make.error ?? stop.error;
  return (
    <Card title="Provisioning (SCIM)" aside={<Chip tone={p.on ? "good" : "quiet"}>{p.on ? "On" : "Off"}</Chip>}>
      <div className={s.box}>
        <p className={s.text}>The directory makes, changes and disables people and user groups itself. Whoever it disables is signed out at once.</p>
        <Copyable text={p.address} what="base address" />
        {secret !== "" && (
          <>
            <MessageBar intent="warning" layout="multiline"><MessageBarBody>Give this token to the directory now. It is not shown again.</MessageBarBody></MessageBar>
            <Copyable text={secret} what="token" />
          </>
        )}
        {p.on && (
          <Facts>
            <Fact name="People">{number(p.users)}</Fact>
            <Fact name="User groups">{number(p.groups)}</Fact>
            <Fact name="Token made">{p.created_at ? <><Ago at={p.created_at} />{` by ${p.created_by ?? ""}`}</> : "–"}</Fact>
            <Fact name="Last used">{p.used_at ? <Ago at={p.used_at} /> : "Never"}</Fact>
          </Facts>
        )}
        {trouble && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(trouble)}</MessageBarBody></MessageBar>}
        {sure !== "" ? (
          <div className={s.row}>
            <span>{sure === "new" ? "The token that the directory has ends." : "The directory can change nothing any more; people and groups stay."}</span>
            <Button appearance="primary" disabled={make.isPending || stop.isPending} onClick={() => (sure === "new" ? make.mutate() : stop.mutate())}>{sure === "new" ? "Make a new token" : "End the token"}</Button>
            <Button onClick={() => setSure("")}>Cancel</Button>
          </div>
        ) : (
          <div className={s.row}>
            <Button appearance={p.on ? "secondary" : "primary"} disabled={make.isPending} onClick={() => (p.on ? setSure("new") : make.mutate())}>{p.on ? "New token …" : "Make a token"}</Button>
            {p.on && <Button onClick={() => setSure("end")}>End the token …</Button>}
          </div>
        )}
      </div>
    </Card>
  );
}
