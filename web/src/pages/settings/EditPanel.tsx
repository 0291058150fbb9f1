import { Button, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { DeleteRegular } from "@fluentui/react-icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { explain } from "../../api/client";
import { Panel } from "../../ui/Panel";

const useStyles = makeStyles({
  body: { display: "flex", flexDirection: "column", gap: "18px" },
  spread: { flexGrow: 1 },
});

export interface EditPanelProps {
  title: string;
  /** Whether it can be saved as it is; undefined: there is nothing to save. */
  good?: boolean;
  onSave?: () => Promise<unknown>;
  onDelete?: (() => Promise<unknown>) | undefined;
  /** What deleting does, for the question before it. */
  afterDelete?: string;
  onClose: () => void;
  children: ReactNode;
}

/** A flyout that saves or deletes one thing. */
export function EditPanel({ title, good, onSave, onDelete, afterDelete, onClose, children }: EditPanelProps) {
  const s = useStyles();
  const client = useQueryClient();
  const [sure, setSure] = useState(false);
  const done = { onSuccess: () => { onClose(); return client.invalidateQueries(); } };
  const save = useMutation({ mutationFn: async () => onSave?.(), ...done });
  const remove = useMutation({ mutationFn: async () => onDelete?.(), ...done, onError: () => setSure(false) });
  const busy = save.isPending || remove.isPending;
  const wrong = save.error ?? remove.error;
  return (
    <Panel
      title={title}
      width={560}
      onClose={onClose}
      footer={sure ? (
        <>
          <span className={s.spread}>{afterDelete}</span>
          <Button appearance="primary" disabled={busy} onClick={() => remove.mutate()}>Delete it</Button>
          <Button onClick={() => setSure(false)}>Keep it</Button>
        </>
      ) : (
        <>
          {onSave && <Button appearance="primary" disabled={busy || good !== true} onClick={() => save.mutate()}>Save</Button>}
          <Button onClick={onClose}>{onSave ? "Cancel" : "Close"}</Button>
          <span className={s.spread} />
          {onDelete && <Button appearance="subtle" icon={<DeleteRegular />} disabled={busy} onClick={() => setSure(true)}>Delete</Button>}
        </>
      )}
    >
      <div className={s.body}>
        {wrong && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(wrong)}</MessageBarBody></MessageBar>}
        {children}
      </div>
    </Panel>
  );
}
