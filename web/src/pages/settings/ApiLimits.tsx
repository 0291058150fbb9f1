import { Button, Field, Input, MessageBar, MessageBarBody, Select, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { apiSettings, rotateKey, setLimits } from "../../api/programs";
import type { APISettings } from "../../api/schema";
import { Card } from "../../ui/Card";
import { Mono } from "../../ui/Copy";
import { PlainTable } from "../../ui/PlainTable";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  grid: { display: "grid", gap: "16px", gridTemplateColumns: "repeat(auto-fill, minmax(420px, 1fr))", maxWidth: "1200px" },
  form: { display: "flex", flexDirection: "column", gap: "14px", alignItems: "flex-start" },
  row: { display: "flex", gap: "8px", flexWrap: "wrap", marginTop: "14px" },
  text: { margin: "0 0 12px", color: tokens.colorNeutralForeground2 },
  wrong: { marginBottom: "12px" },
});

/** What holds for all applications: limits, and the keys that tokens are signed with. */
export function ApiLimits({ settings }: { settings: APISettings }) {
  const s = useStyles();
  const client = useQueryClient();
  const [preset, setPreset] = useState(settings.preset);
  const [perMinute, setPerMinute] = useState(String(settings.per_minute || 6000));
  const [sure, setSure] = useState(false);
  const again = () => client.invalidateQueries({ queryKey: apiSettings.queryKey });
  const save = useMutation({ mutationFn: () => setLimits({ preset, per_minute: preset === "plain" ? Number(perMinute) : 0 }), onSuccess: again });
  const rotate = useMutation({
    mutationFn: rotateKey,
    onSuccess: () => {
      setSure(false);
      return again();
    },
  });
  return (
    <div className={s.grid}>
      <Card title="Limits">
        <p className={s.text}>For applications without limits of their own. What is above is answered with 429 and the seconds to wait.</p>
        <form
          className={s.form}
          onSubmit={(e) => {
            e.preventDefault();
            save.mutate();
          }}
        >
          <Field label="Each application may make">
            <Select value={preset} onChange={(_, d) => setPreset(d.value as APISettings["preset"])}>
              <option value="plain">a number of calls a minute</option>
              <option value="reference">what the Defender API allows</option>
            </Select>
          </Field>
          {preset === "plain" && <Field label="Calls a minute" required><Input type="number" min={1} value={perMinute} onChange={(_, d) => setPerMinute(d.value)} /></Field>}
          {save.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(save.error)}</MessageBarBody></MessageBar>}
          <Button type="submit" disabled={save.isPending || (preset === settings.preset && (preset !== "plain" || perMinute === String(settings.per_minute)))}>Save limits</Button>
        </form>
      </Card>
      <Card title="Signing keys">
        <p className={s.text}>Tokens are signed with the first key (RS256). Others verify them with the key set at the discovery address.</p>
        {rotate.error && <MessageBar intent="error" className={s.wrong}><MessageBarBody>{explain(rotate.error)}</MessageBarBody></MessageBar>}
        <PlainTable
          label="Signing keys"
          rows={settings.keys}
          rowKey={(k) => k.id}
          columns={[
            { key: "id", title: "Key", render: (k) => <Mono>{k.id}</Mono> },
            { key: "until", title: "Valid", width: "150px", render: (k) => (k.until ? <>until <Moment at={k.until} /></> : "in use") },
          ]}
        />
        <div className={s.row}>
          {sure ? (
            <>
              <span>Every token that was issued ends now; programs get new ones.</span>
              <Button size="small" appearance="primary" disabled={rotate.isPending} onClick={() => rotate.mutate(true)}>End all tokens</Button>
              <Button size="small" onClick={() => setSure(false)}>Cancel</Button>
            </>
          ) : (
            <>
              <Button size="small" disabled={rotate.isPending} onClick={() => rotate.mutate(false)}>New key</Button>
              <Button size="small" onClick={() => setSure(true)}>New key, end all tokens …</Button>
            </>
          )}
        </div>
      </Card>
    </div>
  );
}
