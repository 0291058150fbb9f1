import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowDownloadRegular, ClipboardTaskRegular, DeleteRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { address, explain } from "../../api/client";
import { deletePlan, plan } from "../../api/queries";
import type { Plan } from "../../api/schema";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { full, remedy } from "../../lib/exposure";
import { number, plural, time } from "../../lib/format";
import { groupWords } from "../../lib/plan";
import { ScoreNumber } from "../../ui/Exposure";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Menu } from "../../ui/Menu";
import { Moment } from "../../ui/Time";
import { Trend } from "../../ui/Trend";
import { PlanChart, SavedSteps, Verdict } from "./PlanView";
import { RequestPlan } from "./RequestPlan";

const useStyles = makeStyles({
  row: { display: "flex", gap: "40px", flexWrap: "wrap", marginBottom: "20px" },
  big: { fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold },
  of: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  verdict: { marginBottom: "20px" },
  wrong: { color: tokens.colorStatusDangerForeground1 },
});

function Score({ title, value }: { title: string; value: number }) {
  const s = useStyles();
  return (
    <div role="group" aria-label={`${title} score ${full(value)}`}>
      <div className={s.of}>{title}</div>
      <div className={s.big}><ScoreNumber value={value} /></div>
    </div>
  );
}

function Overview({ p }: { p: Plan }) {
  const s = useStyles();
  const a = p.actual;
  const trend = (a?.trend ?? []).flatMap((t) => {
    const at = time(t.at);
    return at ? [{ at: at.getTime(), value: t.score, version: t.version, weights: t.weights, devices: t.devices }] : [];
  });
  const { max_restarts: restarts, max_devices: devices, types, exclude } = p.goal;
  return (
    <>
      <div className={s.row}>
        <Score title="Before" value={p.before.score} />
        <Score title="Predicted" value={p.predicted.score} />
        {a && <Score title="Actual" value={a.score.score} />}
        {a && <div><div className={s.of}>Steps done</div><div className={s.big}>{`${number(a.done)} / ${number(p.steps.length)}`}</div></div>}
      </div>
      <Section title="Score after each step"><PlanChart p={p} /></Section>
      <div className={s.verdict}><Verdict p={p} /></div>
      <Section title="Actual score since the plan was made"><Trend label="Actual score" points={trend} say={(t) => plural(t.devices, "device")} /></Section>
      <Section title="Goal">
        <Facts>
          <Fact name="Score below">{p.goal.target}</Fact>
          <Fact name="Device groups">{groupWords(p)}</Fact>
          <Fact name="Devices that count">{number(p.scored)}</Fact>
          {p.searched && <Fact name="Restarts, at most">{typeof restarts === "number" ? number(restarts) : "Any number"}</Fact>}
          {p.searched && <Fact name="Devices, at most">{typeof devices === "number" ? number(devices) : "Any number"}</Fact>}
          {p.searched && <Fact name="Changes that may be made" wide>{types.map((t) => remedy(t).word).join(", ")}</Fact>}
          {p.searched && exclude.length > 0 && <Fact name="Left out">{plural(exclude.length, "recommendation")}</Fact>}
          <Fact name="Devices touched">{number(p.devices)}</Fact>
          <Fact name="Restart for certain">{plural(p.restarts, "device")}</Fact>
          <Fact name="Made">{p.created_by}, <Moment at={p.created_at} /></Fact>
          <Fact name="Formula of the score">{p.version}</Fact>
          <Fact name="Device weights">{p.weights}</Fact>
        </Facts>
      </Section>
    </>
  );
}

function Delete({ p, onDone }: { p: Plan; onDone: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [sure, setSure] = useState(false);
  const go = useMutation({
    mutationFn: () => deletePlan(p.id),
    onSuccess: () => {
      onDone();
      return client.invalidateQueries({ queryKey: ["scores", "plans"], predicate: (q) => q.queryKey[2] !== p.id }); // it is there no more
    },
  });
  if (!sure) return <MayButton rights={["remediate.remediation"]} appearance="subtle" icon={<DeleteRegular />} onClick={() => setSure(true)}>Delete</MayButton>;
  return (
    <>
      <Button appearance="primary" icon={<DeleteRegular />} disabled={go.isPending} onClick={() => go.mutate()}>Delete for good</Button>
      <Button appearance="subtle" onClick={() => setSure(false)}>Keep</Button>
      {go.error && <span role="alert" className={s.wrong}>{explain(go.error)}</span>}
    </>
  );
}

/** A saved plan: predicted and actual. */
export function PlanFlyout({ id, frame }: { id: string; frame: FlyoutFrame }) {
  const q = useQuery(plan(id));
  const p = q.data;
  if (frame.view === "request" && p) return <RequestPlan p={p} frame={frame} />;
  const file = (format: string) => address(`/plans/${encodeURIComponent(id)}/steps/export`, { format });
  return (
    <Flyout
      frame={frame}
      state={q}
      title={p?.name ?? "Patch plan"}
      subtitle={p && <><span>{plural(p.steps.length, "step")}</span><span>{`target below ${p.goal.target}`}</span><span>{plural(p.devices, "device")}</span></>}
      actions={p && (
        <>
          {p.actual && p.actual.done < p.steps.length && <MayButton rights={["remediate.remediation"]} appearance="primary" icon={<ClipboardTaskRegular />} onClick={() => frame.onView("request")}>Request remediation</MayButton>}
          <Menu
            label="Export steps"
            entries={[
              { kind: "download", key: "csv", text: "CSV, all steps", href: file("csv") },
              { kind: "download", key: "jsonl", text: "JSON Lines, all steps", href: file("jsonl") },
            ]}
            trigger={(t) => <Button {...t} appearance="subtle" icon={<ArrowDownloadRegular />}>Export steps</Button>}
          />
          <Delete p={p} onDone={frame.onClose} />
        </>
      )}
      tabs={[
        { key: "overview", title: "Predicted and actual", render: () => p && <Overview p={p} /> },
        { key: "steps", title: "Steps", render: () => p && <SavedSteps p={p} /> },
      ]}
    />
  );
}
