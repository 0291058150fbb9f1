import { Button, Field, Input, MessageBar, MessageBarBody, Select, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { createOwnToken, deleteOwnToken, ownTokens } from "../../api/programs";
import type { Credentials } from "../../api/schema";
import { Card } from "../../ui/Card";
import { Ago, Day } from "../../ui/Time";
import { PlainTable } from "../../ui/PlainTable";
import { CredentialsBox } from "./Credentials";
import { PermissionField } from "./Permissions";

const useStyles = makeStyles({
  text: { margin: "0 0 12px", color: tokens.colorNeutralForeground2 },
  form: { display: "flex", flexDirection: "column", gap: "14px", marginTop: "16px" },
  row: { display: "flex", gap: "8px" },
});

const lives = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["365", "1 year"]] as const;

/** Tokens for programs that act as who is signed in, and never more than that. */
export function OwnTokens() {
  const s = useStyles();
  const client = useQueryClient();
  const { data, error } = useQuery(ownTokens);
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<Credentials>();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const [days, setDays] = useState("30");
  const again = () => client.invalidateQueries({ queryKey: ownTokens.queryKey });
  const add = useMutation({
    mutationFn: () => createOwnToken({ name: name.trim(), permissions: chosen, days: Number(days) }),
    onSuccess: (c) => {
      setMade(c);
      setAdding(false);
      setName("");
      setChosen([]);
      return again();
    },
  });
  const remove = useMutation({ mutationFn: deleteOwnToken, onSettled: again });
  const wrong = error ?? add.error ?? remove.error;
  return (
    <Card title="Tokens for programs">
      <p className={s.text}>A program with a token of yours sees what you see and may do what you may, as far as you choose it here; when you lose a right, so does the token.</p>
      {wrong && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(wrong)}</MessageBarBody></MessageBar>}
      {made && <CredentialsBox made={made} />}
      {!data && !error && <Spinner label="Reading …" />}
      {data && data.tokens.length > 0 && (
        <PlainTable
          label="Tokens for programs"
          rows={data.tokens}
          rowKey={(t) => t.id}
          middle
          columns={[
            { key: "name", title: "Name", render: (t) => <span title={t.permissions.join("\n")}>{t.disabled ? `${t.name} (turned off)` : t.name}</span> },
            { key: "expires", title: "Expires", render: (t) => <Day at={t.secrets[0]?.expires ?? undefined} /> },
            { key: "used", title: "Last used", render: (t) => <Ago at={t.last_used ?? undefined} /> },
            { key: "tools", title: "Action", width: "80px", align: "end", render: (t) => <Button size="small" disabled={remove.isPending} aria-label={`Delete the token ${t.name}`} onClick={() => remove.mutate(t.id)}>Delete</Button> },
          ]}
        />
      )}
      {adding && data ? (
        <form
          className={s.form}
          onSubmit={(e) => {
            e.preventDefault();
            add.mutate();
          }}
        >
          <Field label="Name" required><Input value={name} maxLength={200} placeholder="What it is for" onChange={(_, d) => setName(d.value)} /></Field>
          <PermissionField all={data.permissions} chosen={chosen} onChange={setChosen} />
          <Field label="It lives"><Select value={days} onChange={(_, d) => setDays(d.value)}>{lives.map(([v, t]) => <option key={v} value={v}>{t}</option>)}</Select></Field>
          <div className={s.row}>
            <Button appearance="primary" type="submit" disabled={add.isPending || name.trim() === "" || chosen.length === 0}>Create token</Button>
            <Button onClick={() => setAdding(false)}>Cancel</Button>
          </div>
        </form>
      ) : (
        <Button
          style={{ marginTop: 14 }}
          onClick={() => {
            setMade(undefined);
            setAdding(true);
          }}
        >
          New token
        </Button>
      )}
    </Card>
  );
}
