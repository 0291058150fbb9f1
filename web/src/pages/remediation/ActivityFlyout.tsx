import { Button, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { ArrowDownloadRegular, ArrowUndoRegular, CheckmarkRegular, LightbulbCheckmarkRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { address, explain } from "../../api/client";
import { completeRemediation, remediation, reopenRemediation } from "../../api/remediation";
import type { Remediation, RemediationRow } from "../../api/schema";
import { ButtonLink } from "../../app/ButtonLink";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { number, plural } from "../../lib/format";
import { Menu } from "../../ui/Menu";
import { Priority, RemediationStatus } from "../../ui/Remediation";
import { Details } from "./Details";
import { History } from "./History";
import { Note } from "./Note";
import { Targets } from "./Targets";
import { Tickets } from "./Tickets";

const useStyles = makeStyles({ error: { marginTop: "8px", width: "100%" } });

/** What can be done with an activity. */
function Actions({ d }: { d: Remediation }) {
  const s = useStyles();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const done = d.status === "Completed";
  const go = useMutation({
    mutationFn: (note: string) => (done ? reopenRemediation(d.id, note) : completeRemediation(d.id, note)),
    onSuccess: async (now) => {
      setAsking(false);
      client.setQueryData(remediation(d.id).queryKey, now);
      await client.invalidateQueries({ queryKey: ["remediations"] });
    },
  });
  const verb = done ? "Re-open" : "Mark as completed";
  const targets = `/remediations/${encodeURIComponent(d.id)}/devices/export`;
  return (
    <>
      <Button appearance="subtle" icon={done ? <ArrowUndoRegular /> : <CheckmarkRegular />} onClick={() => setAsking(true)}>{verb}</Button>
      <Menu
        label="Export targets"
        entries={[{ kind: "download", key: "csv", text: "CSV", href: address(targets, { format: "csv" }) }, { kind: "download", key: "jsonl", text: "JSON Lines", href: address(targets, { format: "jsonl" }) }]}
        trigger={(p) => <Button appearance="subtle" icon={<ArrowDownloadRegular />} {...p}>Export targets</Button>}
      />
      {d.recommendation_open && <ButtonLink to="/recommendations" search={{ open: d.recommendation_id }} icon={<LightbulbCheckmarkRegular />}>Related recommendation</ButtonLink>}
      {asking && (
        <Note
          title={verb}
          text={done ? "The activity becomes active again." : d.tracked ? `${number(d.progress.fixed)} of ${plural(d.progress.targets, "target")} are fixed. The activity is completed whatever the devices say.` : "The activity is completed."}
          busy={go.isPending}
          onCancel={() => setAsking(false)}
          onGo={(note) => go.mutate(note)}
        />
      )}
      {go.error && <MessageBar intent="error" layout="multiline" className={s.error}><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
    </>
  );
}

/** A remediation activity. */
export function ActivityFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: RemediationRow | undefined }) {
  const q = useQuery(remediation(id));
  const d = q.data;
  const head = d ?? row;
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head?.title ?? "Remediation activity"}
      subtitle={head && <><RemediationStatus row={head} /><Priority value={head.priority} /><span>{head.component}</span></>}
      actions={d && <Actions d={d} />}
      tabs={[
        { key: "details", title: "Details", render: () => d && <Details d={d} /> },
        { key: "devices", title: `Targets${head ? ` (${number(head.progress.targets)})` : ""}`, render: () => d && <Targets id={id} recommendation={d.recommendation_id} /> },
        { key: "tickets", title: "Tickets", render: () => d && <Tickets d={d} /> },
        { key: "history", title: "History", render: () => d && <History d={d} /> },
      ]}
    />
  );
}
