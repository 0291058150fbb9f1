import { Button, Checkbox, MessageBar, MessageBarBody, makeStyles, tokens } from "@fluentui/react-components";
import { DismissRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../api/client";
import { changeTags, tags } from "../api/queries";
import type { DeviceRow } from "../api/schema";
import { TagInput } from "./TagInput";
import { plural } from "../lib/format";
import { toggle } from "../lib/search";
import { Chip } from "../ui/Chip";
import { Section } from "../ui/Facts";
import { Panel } from "../ui/Panel";

const useStyles = makeStyles({
  chips: { display: "flex", flexWrap: "wrap", gap: "6px", marginTop: "10px" },
  drop: { display: "flex", padding: 0, border: "none", background: "none", color: "inherit", cursor: "pointer", fontSize: "12px", "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
  list: { display: "flex", flexDirection: "column" },
  quiet: { color: tokens.colorNeutralForeground3, margin: 0 },
});

/** Gives tags to the selected devices and takes them away. */
export function ManageTags({ ids, rows, onClose, onDone }: { ids: readonly string[]; rows: readonly DeviceRow[]; onClose: () => void; onDone: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  const { data: known } = useQuery(tags);
  const manual = new Set(known?.filter((t) => t.kinds.includes("manual")).map((t) => t.tag));
  const here = [...new Set(rows.flatMap((r) => r.tags))].filter((t) => manual.has(t)).sort((a, b) => a.localeCompare(b));
  const go = useMutation({
    mutationFn: () => changeTags({ devices: [...ids], add, remove }),
    onSuccess: async (r) => {
      await client.invalidateQueries();
      if (r.kept === 0) onDone();
    },
  });
  return (
    <Panel
      title={`Tags of ${plural(ids.length, "device")}`}
      width={400}
      onClose={onClose}
      footer={
        <>
          <Button appearance="primary" disabled={go.isPending || go.isSuccess || add.length + remove.length === 0} onClick={() => go.mutate()}>Apply</Button>
          <Button onClick={go.isSuccess ? onDone : onClose}>{go.isSuccess ? "Close" : "Cancel"}</Button>
        </>
      }
    >
      {go.error && <MessageBar intent="error"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      {go.data && go.data.kept > 0 && <MessageBar intent="info"><MessageBarBody>{`${plural(go.data.kept, "device")} still ${go.data.kept === 1 ? "has" : "have"} a tag that was taken away: a rule or the agent gives it.`}</MessageBarBody></MessageBar>}
      <Section title="Add">
        <TagInput without={add} onAdd={(t) => setAdd((now) => (now.includes(t) ? now : [...now, t]))} />
        <div className={s.chips}>
          {add.map((t) => (
            <Chip key={t} tone="info">
              {t}
              <button type="button" className={s.drop} aria-label={`Do not add ${t}`} onClick={() => setAdd(toggle(add, t))}><DismissRegular aria-hidden /></button>
            </Chip>
          ))}
        </div>
      </Section>
      <Section title="Take away">
        <div className={s.list}>
          {here.map((t) => <Checkbox key={t} label={t} checked={remove.includes(t)} disabled={add.includes(t)} onChange={() => setRemove(toggle(remove, t))} />)}
          {here.length === 0 && <p className={s.quiet}>None of these devices has a tag that was given by hand.</p>}
        </div>
      </Section>
    </Panel>
  );
}
