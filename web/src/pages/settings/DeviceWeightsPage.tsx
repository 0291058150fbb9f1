import { Button, Field, Input, MessageBar, MessageBarBody, Radio, RadioGroup, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { deviceWeights, setDeviceWeights } from "../../api/scores";
import type { DeviceWeights, DeviceWeightsView } from "../../api/schema";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { full } from "../../lib/exposure";
import { plural } from "../../lib/format";
import { Card } from "../../ui/Card";

const useStyles = makeStyles({
  page: { marginTop: "14px", maxWidth: "720px" },
  fields: { display: "flex", flexDirection: "column", gap: "16px", marginBottom: "16px" },
  number: { width: "110px" },
  row: { display: "flex", gap: "12px", alignItems: "center", flexWrap: "wrap", marginTop: "16px" },
  quiet: { color: tokens.colorNeutralForeground3 },
});

interface Draft {
  low: string;
  normal: string;
  high: string;
  automatic: boolean;
}

const draftOf = (w: DeviceWeights): Draft => ({ low: full(w.low), normal: full(w.normal), high: w.high > 0 ? full(w.high) : "10", automatic: w.high === 0 });

/** The weights that are meant, or what is wrong with a field. */
function read(d: Draft): { weights?: DeviceWeights; wrong: Partial<Record<"low" | "normal" | "high", string>> } {
  const wrong: Partial<Record<"low" | "normal" | "high", string>> = {};
  const number = (name: "low" | "normal" | "high"): number => {
    const n = Number(d[name].trim() || "x");
    if (!(n >= 0.025 && n <= 10) || Math.abs(n * 40 - Math.round(n * 40)) > 1e-9) wrong[name] = "A multiple of 0.025 from 0.025 to 10.";
    return n;
  };
  const low = number("low");
  const normal = number("normal");
  const high = d.automatic ? 0 : number("high");
  if (Object.keys(wrong).length === 0) {
    if (normal < low) wrong.normal = "Not below the weight of a device of low value.";
    else if (!d.automatic && high < normal) wrong.high = "Not below the weight of a device of normal value.";
    else if (d.automatic && normal > 1) wrong.normal = "Not above 1 while that of a device of high value is automatic: that may be 1.";
  }
  return Object.keys(wrong).length > 0 ? { wrong } : { weights: { low, normal, high }, wrong };
}

function Form({ now }: { now: DeviceWeightsView }) {
  const s = useStyles();
  const client = useQueryClient();
  const [d, setD] = useState(() => draftOf(now));
  const { weights, wrong } = read(d);
  const go = useMutation({
    mutationFn: setDeviceWeights,
    onSuccess: (held) => {
      client.setQueryData(deviceWeights.queryKey, held);
      setD(draftOf(held));
      return client.invalidateQueries({ queryKey: ["scores"] });
    },
  });
  const changed = JSON.stringify(d) !== JSON.stringify(draftOf(now));
  const usual = JSON.stringify(draftOf(now.default));
  const weight = (name: "low" | "normal", label: string, n: number) => (
    <Field label={label} hint={`${plural(n, "device")} in the score`} validationMessage={wrong[name]}>
      <Input type="number" min={0.025} max={10} step={0.025} className={s.number} value={d[name]} onChange={(_, v) => setD({ ...d, [name]: v.value })} />
    </Field>
  );
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        if (weights) go.mutate(weights);
      }}
    >
      <Card title="Weights in the exposure score">
        <div className={s.fields}>
          {weight("low", "Low value", now.devices.low)}
          {weight("normal", "Normal value", now.devices.normal)}
          <Field label="High value" hint={`${plural(now.devices.high, "device")} in the score; each counts ${full(now.high_now)} now`}>
            <RadioGroup value={d.automatic ? "automatic" : "fixed"} onChange={(_, v) => setD({ ...d, automatic: v.value === "automatic" })}>
              <Radio value="automatic" label="Automatic: a tenth of the number of devices, at least 1 and at most 10" />
              <Radio value="fixed" label="A number" />
            </RadioGroup>
          </Field>
          {!d.automatic && (
            <Field label="Weight of a device of high value" validationMessage={wrong.high}>
              <Input type="number" min={0.025} max={10} step={0.025} className={s.number} value={d.high} onChange={(_, v) => setD({ ...d, high: v.value })} />
            </Field>
          )}
        </div>
        <p className={s.quiet}>Scores, impacts and plans follow at once. It is a change of method: the trend is marked from then on, because scores before and after cannot be compared.</p>
        {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
        <div className={s.row}>
          <Button appearance="primary" type="submit" disabled={go.isPending || !changed || !weights}>Save</Button>
          <Button type="button" disabled={JSON.stringify(d) === usual} onClick={() => setD(draftOf(now.default))}>As delivered</Button>
          <span role="status" className={s.quiet}>{go.isSuccess && !changed ? "Saved. All scores follow it." : ""}</span>
        </div>
      </Card>
    </form>
  );
}

/** What devices count in scores by their value. */
export function DeviceWeightsPage() {
  const s = useStyles();
  const { data, error, refetch } = useQuery(deviceWeights);
  if (error && !data) return <ErrorPage error={error} retry={() => void refetch()} />;
  return (
    <PageHead scroll title="Device weights" text="What a device counts in the exposure score of many, by its value. Devices get their values on their pages and, several at once, in the list of devices.">
      <div className={s.page}>{data ? <Form now={data} /> : <Spinner label="Reading …" />}</div>
    </PageHead>
  );
}
