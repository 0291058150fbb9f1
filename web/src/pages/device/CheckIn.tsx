import { Button, Field, MessageBar, MessageBarBody, Textarea } from "@fluentui/react-components";
import { ArrowSyncRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { approvals, checkIn } from "../../api/approvals";
import { explain } from "../../api/client";
import { status } from "../../api/queries";
import type { Device } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { useMay } from "../../app/useMay";
import { Panel } from "../../ui/Panel";

/** Makes the agent of a device look at everything now, or asks for the approval of that. */
export function CheckIn({ d }: { d: Device }) {
  const client = useQueryClient();
  const { may, why } = useMay("alerts.investigate", "settings.security");
  const { data: st } = useQuery(status);
  const { data: waiting } = useQuery(approvals({ device: d.id, kind: "check-in", state: "pending" }));
  const [open, setOpen] = useState(false);
  const [comment, setComment] = useState("");
  const go = useMutation({ mutationFn: () => checkIn(d.id, comment.trim()), onSuccess: () => client.invalidateQueries({ queryKey: ["approvals"] }) });
  if (d.sbom !== null || d.source === "osquery") return null; // no agent of ours
  const request = waiting?.items[0];
  const reason = !may ? why : st?.lockdown ? "Lockdown: nothing can be done on devices." : !d.connected ? "The agent is not connected: it looks at everything when it starts." : "";
  const close = () => {
    setOpen(false);
    setComment("");
    go.reset();
  };
  return (
    <>
      {request ? (
        <Anchor to="/approvals" search={{ open: request.id }}>Check in waits for approval</Anchor>
      ) : (
        <Button appearance="subtle" icon={<ArrowSyncRegular />} disabledFocusable={reason !== ""} title={reason === "" ? "Make the agent look at everything now" : reason} onClick={() => setOpen(true)}>Check in now</Button>
      )}
      {open && (
        <Panel
          title={`Check in ${d.name} now`}
          label="Check in now"
          subtitle="The agent looks at everything at once; what it finds shows within a minute."
          width={440}
          onClose={close}
          footer={go.isSuccess ? <Button appearance="primary" onClick={close}>Close</Button> : (
            <>
              <Button appearance="primary" disabled={go.isPending} onClick={() => go.mutate()}>Check in</Button>
              <Button onClick={close}>Cancel</Button>
            </>
          )}
        >
          {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
          {go.data?.state === "done" && <MessageBar intent="success"><MessageBarBody>The agent was told.</MessageBarBody></MessageBar>}
          {go.data?.approval && <MessageBar intent="warning" layout="multiline"><MessageBarBody>Somebody else has to approve this first. <Anchor to="/approvals" search={{ open: go.data.approval.id }}>See the request</Anchor></MessageBarBody></MessageBar>}
          {!go.isSuccess && <Field label="Comment" hint="For the audit log, and for whoever has to approve it."><Textarea value={comment} maxLength={1000} rows={3} onChange={(_, v) => setComment(v.value)} /></Field>}
        </Panel>
      )}
    </>
  );
}
