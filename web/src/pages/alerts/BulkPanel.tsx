import { Button, MessageBar, MessageBarBody } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { updateAlerts } from "../../api/alerts";
import { explain } from "../../api/client";
import { plural } from "../../lib/format";
import { Panel } from "../../ui/Panel";
import { ManageFields, type Draft } from "./ManageFields";

const nothing = (d: Draft): boolean => d.status === undefined && d.assigned_to === undefined && d.classification === undefined && d.determination === undefined && d.comment.trim() === "";

/** Changes the picked alerts, each in the same way: all of them or none. */
export function BulkPanel({ ids, onClose, onDone }: { ids: readonly string[]; onClose: () => void; onDone: () => void }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>({ comment: "" });
  const go = useMutation({
    mutationFn: () => updateAlerts(ids, { ...draft, comment: draft.comment.trim() }),
    onSuccess: async () => {
      await client.invalidateQueries();
      onDone();
    },
  });
  return (
    <Panel
      title={`Manage ${plural(ids.length, "alert")}`}
      width={440}
      onClose={onClose}
      footer={
        <>
          <Button appearance="primary" disabled={go.isPending || nothing(draft)} onClick={() => go.mutate()}>Apply</Button>
          <Button onClick={onClose}>Cancel</Button>
        </>
      }
    >
      {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      <ManageFields draft={draft} many onChange={setDraft} />
    </Panel>
  );
}
