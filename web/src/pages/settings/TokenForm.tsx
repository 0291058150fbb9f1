import { Button, Field, Input, MessageBar, MessageBarBody, Select, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { createToken, tokens as tokenQuery } from "../../api/settings";
import { Copyable } from "../../ui/Copy";

const useStyles = makeStyles({
  form: { display: "flex", gap: "16px", flexWrap: "wrap", alignItems: "flex-end" },
  note: { flexGrow: 1, minWidth: "220px" },
  secret: { marginTop: "16px" },
  once: { margin: "0 0 8px", color: tokens.colorNeutralForeground2 },
});

const uses = [["1", "One device"], ["10", "10 devices"], ["100", "100 devices"], ["0", "No limit"]] as const;
const lives = [["1", "1 hour"], ["24", "1 day"], ["168", "7 days"], ["720", "30 days"]] as const;

/** Creates an enrolment token; its secret is shown once. */
export function TokenForm({ secret, onCreated }: { secret: string; onCreated: (secret: string) => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [note, setNote] = useState("");
  const [max, setMax] = useState("1");
  const [hours, setHours] = useState("24");
  const go = useMutation({
    mutationFn: () => createToken({ note: note.trim(), max_uses: Number(max), hours: Number(hours) }),
    onSuccess: (r) => {
      onCreated(r.secret);
      setNote("");
      return client.invalidateQueries({ queryKey: tokenQuery.queryKey });
    },
  });
  return (
    <>
      <form
        className={s.form}
        onSubmit={(e) => {
          e.preventDefault();
          go.mutate();
        }}
      >
        <Field label="Note" className={s.note}>
          <Input value={note} maxLength={200} placeholder="What it is for" onChange={(_, d) => setNote(d.value)} />
        </Field>
        <Field label="Good for">
          <Select value={max} onChange={(_, d) => setMax(d.value)}>
            {uses.map(([v, t]) => <option key={v} value={v}>{t}</option>)}
          </Select>
        </Field>
        <Field label="Expires after">
          <Select value={hours} onChange={(_, d) => setHours(d.value)}>
            {lives.map(([v, t]) => <option key={v} value={v}>{t}</option>)}
          </Select>
        </Field>
        <Button appearance="primary" type="submit" disabled={go.isPending}>Create token</Button>
      </form>
      {go.error && <MessageBar intent="error" className={s.secret}><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      {secret !== "" && (
        <div className={s.secret} role="status">
          <p className={s.once}>The new token. It is shown only this once:</p>
          <Copyable what="token" text={secret} />
        </div>
      )}
    </>
  );
}
