import { Field, Input, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { SaveRegular } from "@fluentui/react-icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { explain } from "../../api/client";
import { savePlan } from "../../api/queries";
import type { Plan } from "../../api/schema";
import { MayButton } from "../../app/MayButton";
import { plural } from "../../lib/format";

const useStyles = makeStyles({
  form: { display: "flex", gap: "12px", alignItems: "flex-end", marginTop: "20px", flexWrap: "wrap" },
  name: { flexGrow: 1, minWidth: "220px", maxWidth: "420px" },
  bar: { marginTop: "12px" },
});

const nameOf = (p: Plan): string => (p.reached ? `Below ${p.goal.target}` : plural(p.steps.length, "change"));

/** Saves a plan under a name and goes to it. */
export function SavePlan({ p }: { p: Plan }) {
  const s = useStyles();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const name = typed.trim() || nameOf(p);
  const save = useMutation({
    mutationFn: () => savePlan(p.draft, name),
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: ["scores", "plans"] });
      await navigate({ to: "/recommendations/plans", search: { open: saved.id } });
    },
  });
  return (
    <>
      <form className={s.form} onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
        <Field label="Name" className={s.name}>
          <Input value={typed} maxLength={200} placeholder={nameOf(p)} onChange={(_, d) => setTyped(d.value)} />
        </Field>
        <MayButton rights={["remediate.remediation"]} appearance="primary" type="submit" icon={<SaveRegular />} disabled={save.isPending}>Save plan</MayButton>
      </form>
      {save.error && <MessageBar intent="error" className={s.bar}><MessageBarBody>{explain(save.error)}</MessageBarBody></MessageBar>}
    </>
  );
}
