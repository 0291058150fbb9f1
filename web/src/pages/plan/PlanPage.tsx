import { Button, MessageBar, MessageBarBody, makeStyles, tokens } from "@fluentui/react-components";
import { TaskListSquareLtrRegular } from "@fluentui/react-icons";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useRef, useState } from "react";
import { explain } from "../../api/client";
import { draftPlan, planSearch } from "../../api/queries";
import type { Plan } from "../../api/schema";
import { useBasket } from "../../app/basket";
import { PageHead } from "../../app/PageHead";
import { number, plural } from "../../lib/format";
import { groupWords } from "../../lib/plan";
import type { RawSearch } from "../../lib/search";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { ScoreNumber } from "../../ui/Exposure";
import { Fact, Facts } from "../../ui/Facts";
import { formatForm, goalOf, parseForm, type PlanForm } from "./form";
import { PlanFormCard } from "./PlanForm";
import { PlanTabs } from "./PlanTabs";
import { DraftSteps, PlanChart, Verdict } from "./PlanView";
import { SavePlan } from "./SavePlan";

const useStyles = makeStyles({
  grid: { display: "grid", gap: "16px", gridTemplateColumns: "360px minmax(0, 1fr)", marginTop: "16px", alignItems: "start", "@media (max-width: 1100px)": { gridTemplateColumns: "minmax(0, 1fr)" } },
  stack: { display: "flex", flexDirection: "column", gap: "16px", minWidth: 0 },
  bar: { marginBottom: "12px" },
  facts: { marginTop: "18px" },
  note: { margin: "12px 0 0", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

/** Whether a plan is what the form asks for now. */
const current = (p: Plan, asked: string, now: string): boolean => p.draft !== "" && asked === now;

/** The smallest set of changes that brings the score below a target. */
export function PlanPage() {
  const s = useStyles();
  const raw: RawSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const basket = useBasket();
  const form = parseForm(raw);
  const stop = useRef<AbortController>(undefined);
  const [asked, setAsked] = useState("");
  const [search, setSearch] = useState("");
  const [names, setNames] = useState<Record<string, string>>({});
  const find = useMutation({
    mutationFn: (goal: NonNullable<ReturnType<typeof goalOf>>) => {
      stop.current = new AbortController();
      const name = Math.random().toString(36).slice(2);
      setSearch(name);
      return draftPlan({ ...goal, search: name }, stop.current.signal);
    },
  });
  const progress = useQuery({ ...planSearch(search), enabled: find.isPending && search !== "" });
  const change = useCallback((part: Partial<PlanForm>) => {
    void navigate({ to: ".", replace: true, search: ((before: RawSearch) => formatForm({ ...parseForm(before), ...part })) });
  }, [navigate]);
  const ask = (f: PlanForm) => {
    const goal = goalOf(f, basket.map((b) => b.id));
    if (!goal) return;
    setAsked(JSON.stringify([goal, raw.group]));
    find.mutate(goal);
  };
  const without = (step: { id: string; name: string }) => {
    setNames((n) => ({ ...n, [step.id]: step.name }));
    const exclude = [...form.exclude, step.id];
    change({ exclude });
    ask({ ...form, exclude });
  };
  const cancelled = find.error instanceof DOMException && find.error.name === "AbortError";
  const p = find.data;
  return (
    <PageHead title="Patch plan" text="The smallest set of changes that brings the exposure score below a target, within limits; every score is exact." scroll>
      <PlanTabs on="new" />
      <div className={s.grid}>
        <PlanFormCard
          form={form}
          basket={basket.length}
          names={names}
          scope={raw.group ? "For the device groups that are selected." : "For all devices that count in the exposure score."}
          busy={find.isPending}
          progress={progress.data}
          onChange={change}
          onGo={() => ask(form)}
          onCancel={() => stop.current?.abort()}
        />
        <div className={s.stack}>
          {find.error && !cancelled && <MessageBar intent="error"><MessageBarBody>{explain(find.error)}</MessageBarBody></MessageBar>}
          {p ? (
            <>
              <Card title="Plan">
                {!current(p, asked, JSON.stringify([goalOf(form, basket.map((b) => b.id)), raw.group])) && <MessageBar intent="info" className={s.bar}><MessageBarBody>The goal has changed since: this is the plan for the one before.</MessageBarBody></MessageBar>}
                <Verdict p={p} />
                <PlanChart p={p} />
                <div className={s.facts}>
                  <Facts>
                    <Fact name="Score"><ScoreNumber value={p.before.score} /> → <strong><ScoreNumber value={p.predicted.score} /></strong></Fact>
                    <Fact name="Devices touched">{`${number(p.devices)} of ${number(p.scored)}`}</Fact>
                    <Fact name="Device groups">{groupWords(p)}</Fact>
                    <Fact name="Restart for certain">{plural(p.restarts, "device")}</Fact>
                    <Fact name="Restart not known">{plural(p.devices - p.restarts, "device")}</Fact>
                  </Facts>
                </div>
                {p.steps.length > 0 && <SavePlan p={p} />}
              </Card>
              {p.steps.length > 0 && <Card title="Steps"><DraftSteps p={p} onExclude={p.searched ? without : undefined} /></Card>}
            </>
          ) : (
            <Card title="Plan">
              <Empty small icon={<TaskListSquareLtrRegular />} title={find.isPending ? "Searching …" : "No plan yet"} action={find.isPending || form.basket || basket.length === 0 ? undefined : <Button onClick={() => change({ basket: true })}>{`Take the basket of ${plural(basket.length, "recommendation")}`}</Button>}>
                Say which score is to be reached, and what may be done for it. The answer says how small the plan is, and what is proven of that.
              </Empty>
              {cancelled && <p className={s.note}>The last search was cancelled.</p>}
            </Card>
          )}
        </div>
      </div>
    </PageHead>
  );
}
