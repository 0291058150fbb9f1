import { Button, Field, MessageBar, MessageBarBody, Radio, RadioGroup, Select, Textarea, makeStyles } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { checkIn, excludeDevice, includeDevice } from "../api/approvals";
import { explain } from "../api/client";
import { setDeviceValue } from "../api/queries";
import type { DeviceRow } from "../api/schema";
import { changeWords, exclusionReasons, type Change, type ExclusionReason } from "../lib/exclusion";
import { values, type DeviceValue } from "../lib/exposure";
import { plural } from "../lib/format";
import { Section } from "../ui/Facts";
import { Panel } from "../ui/Panel";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "18px" },
  means: { margin: 0 },
  devices: { margin: 0, paddingLeft: "18px", maxHeight: "200px", overflowY: "auto" },
});

type Of = Pick<DeviceRow, "id" | "name">;

/** Changes devices one after the other, and says on which of them that failed. */
export function DeviceChange({ change, devices, onClose, onDone }: { change: Change; devices: readonly Of[]; onClose: () => void; onDone: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [reason, setReason] = useState<ExclusionReason>("inactive");
  const [value, setValue] = useState<DeviceValue>("Normal");
  const [comment, setComment] = useState("");
  const words = changeWords[change];
  const [only] = devices;
  const name = devices.length === 1 && only ? only.name : plural(devices.length, "device");
  const one = (id: string): Promise<unknown> => {
    switch (change) {
      case "exclude": return excludeDevice(id, { reason, comment: comment.trim() });
      case "include": return includeDevice(id);
      case "value": return setDeviceValue(id, value);
      case "check-in": return checkIn(id, comment.trim());
    }
  };
  const go = useMutation({
    mutationFn: async () => {
      const failed: { device: Of; why: string }[] = [];
      for (const device of devices) await one(device.id).catch((e: unknown) => failed.push({ device, why: explain(e) }));
      return failed;
    },
    onSettled: () => client.invalidateQueries(),
    onSuccess: (failed) => {
      if (failed.length === 0) onDone();
    },
  });
  const failed = go.data ?? [];
  const wanting = change === "exclude" && reason === "other" && comment.trim() === "";
  return (
    <Panel
      title={`${words.name}: ${name}`}
      label={words.name}
      width={480}
      onClose={failed.length > 0 ? onDone : onClose}
      footer={failed.length > 0 ? <Button appearance="primary" onClick={onDone}>Close</Button> : (
        <>
          <Button appearance="primary" disabled={go.isPending || wanting} onClick={() => go.mutate()}>{words.name}</Button>
          <Button disabled={go.isPending} onClick={onClose}>Cancel</Button>
        </>
      )}
    >
      {failed.length > 0 ? (
        <>
          <MessageBar intent="warning" layout="multiline"><MessageBarBody>{`Done on ${devices.length - failed.length} of ${plural(devices.length, "device")}.`}</MessageBarBody></MessageBar>
          <Section title="Not done"><ul className={s.devices}>{failed.map((f) => <li key={f.device.id}>{`${f.device.name}: ${f.why}`}</li>)}</ul></Section>
        </>
      ) : (
        <div className={s.form}>
          <Section title="What happens"><p className={s.means}>{words.means}</p></Section>
          {devices.length > 1 && <Section title={plural(devices.length, "device")}><ul className={s.devices}>{devices.map((d) => <li key={d.id}>{d.name}</li>)}</ul></Section>}
          {change === "exclude" && (
            <Field label="Justification" required>
              <Select value={reason} onChange={(_, d) => setReason(d.value as ExclusionReason)}>{Object.entries(exclusionReasons).map(([v, text]) => <option key={v} value={v}>{text}</option>)}</Select>
            </Field>
          )}
          {change === "value" && (
            <Field label="Device value">
              <RadioGroup value={value} onChange={(_, d) => setValue(d.value as DeviceValue)}>{values.map((v) => <Radio key={v} value={v} label={v} />)}</RadioGroup>
            </Field>
          )}
          {(change === "exclude" || change === "check-in") && (
            <Field label="Comment" required={reason === "other"} hint={change === "exclude" ? "Shown with the device, and kept in the audit log." : "For the audit log, and for whoever has to approve it."}><Textarea value={comment} maxLength={1000} rows={3} onChange={(_, d) => setComment(d.value)} /></Field>
          )}
        </div>
      )}
    </Panel>
  );
}
