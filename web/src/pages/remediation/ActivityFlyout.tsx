import { MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { ArrowUndoRegular, CheckmarkRegular, EditRegular, LightbulbCheckmarkRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { completeRemediation, editRemediation, remediation, reopenRemediation } from "../../api/remediation";
import type { Remediation, RemediationRow } from "../../api/schema";
import { ButtonLink } from "../../app/ButtonLink";
import { ExportMenu } from "../../app/ExportMenu";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { number, plural } from "../../lib/format";
import type { Work } from "../../ui/WorkFields";
import { Priority, RemediationStatus } from "../../ui/Remediation";
import { Details } from "./Details";
import { Edit } from "./Edit";
import { History } from "./History";
import { Note } from "./Note";
import { Targets } from "./Targets";
import { Tickets } from "./Tickets";

const useStyles = makeStyles({ error: { marginTop: "8px", width: "100%" } });

/** What can be done with an activity. */
function Actions({ d }: { d: Remediation }) {
  const s = useStyles();
  const client = useQueryClient();
  const [form, setForm] = useState<"" | "status" | "edit">("");
  const done = d.status === "Completed";
  const taken = async (now: Remediation) => {
    setForm("");
    client.setQueryData(remediation(d.id).queryKey, now);
    await client.invalidateQueries({ queryKey: ["remediations"] });
  };
  const go = useMutation({ mutationFn: (note: string) => (done ? reopenRemediation(d.id, note) : completeRemediation(d.id, note)), onSuccess: taken });
  const edit = useMutation({ mutationFn: (work: Work) => editRemediation(d.id, work), onSuccess: taken });
  const show = (which: typeof form) => { go.reset(); edit.reset(); setForm(which); };
  const error = go.error ?? edit.error;
  const verb = done ? "Re-open" : "Mark as completed";
  return (
    <>
      <MayButton rights={["remediate.remediation"]} appearance="subtle" icon={done ? <ArrowUndoRegular /> : <CheckmarkRegular />} onClick={() => show("status")}>{verb}</MayButton>
      <MayButton rights={["remediate.remediation"]} appearance="subtle" icon={<EditRegular />} onClick={() => show("edit")}>Edit</MayButton>
      <ExportMenu path={`/remediations/${encodeURIComponent(d.id)}/devices`} label="Export targets" />
      {d.recommendation_open && <ButtonLink to="/recommendations" search={{ open: d.recommendation_id }} icon={<LightbulbCheckmarkRegular />}>Related recommendation</ButtonLink>}
      {form === "edit" && <Edit d={d} busy={edit.isPending} onCancel={() => show("")} onGo={(work) => edit.mutate(work)} />}
      {form === "status" && (
        <Note
          title={verb}
          text={done ? "The activity becomes active again." : d.tracked ? `${number(d.progress.fixed)} of ${plural(d.progress.targets, "target")} are fixed. The activity is completed whatever the devices say.` : "The activity is completed."}
          busy={go.isPending}
          onCancel={() => show("")}
          onGo={(note) => go.mutate(note)}
        />
      )}
      {error && <MessageBar intent="error" layout="multiline" className={s.error}><MessageBarBody>{explain(error)}</MessageBarBody></MessageBar>}
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
