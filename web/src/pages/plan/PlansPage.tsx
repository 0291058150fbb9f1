import { makeStyles, tokens } from "@fluentui/react-components";
import { TaskListSquareLtrRegular } from "@fluentui/react-icons";
import { plans } from "../../api/queries";
import type { PlanRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { ListView } from "../../app/ListView";
import { PageHead } from "../../app/PageHead";
import { number } from "../../lib/format";
import { groupWords } from "../../lib/plan";
import type { ListSpec } from "../../lib/search";
import { Chip } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { ScoreNumber } from "../../ui/Exposure";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Moment } from "../../ui/Time";
import { PlanFlyout } from "./PlanFlyout";
import { PlanTabs } from "./PlanTabs";

const spec: ListSpec = {
  filters: { state: ["Open", "In progress", "Done"] },
  sorts: ["name", "created", "target", "predicted", "actual", "steps", "devices", "restarts"],
  sort: ["-created"],
};

const groups: readonly FilterGroup[] = [{ name: "state", title: "State", options: ["Open", "In progress", "Done"].map((v) => ({ value: v, label: v })) }];

const useStyles = makeStyles({ quiet: { color: tokens.colorNeutralForeground3 } });
const tones: Record<string, "good" | "info" | "quiet"> = { Done: "good", "In progress": "info", Open: "quiet" };

function Steps({ r }: { r: PlanRow }) {
  const s = useStyles();
  return <span title={`${number(r.done)} of ${number(r.steps)} steps are carried out`}>{number(r.done)}<span className={s.quiet}>{` / ${number(r.steps)}`}</span></span>;
}

const columns: readonly Column<PlanRow>[] = [
  { key: "name", title: "Plan", width: 180, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.name}</OpenLink> },
  { key: "state", title: "State", width: 108, render: (r) => <Chip tone={tones[r.state] ?? "quiet"}>{r.state}</Chip> },
  { key: "steps", title: "Steps done", width: 100, align: "end", sort: { key: "steps", first: "desc" }, render: (r) => <Steps r={r} /> },
  { key: "target", title: "Target", width: 90, align: "end", sort: { key: "target", first: "asc" }, render: (r) => `< ${r.target}` },
  { key: "before", title: "Before", width: 84, align: "end", render: (r) => <ScoreNumber value={r.before} /> },
  { key: "predicted", title: "Predicted", width: 110, align: "end", sort: { key: "predicted", first: "asc" }, render: (r) => <ScoreNumber value={r.predicted} /> },
  { key: "actual", title: "Actual", width: 90, align: "end", sort: { key: "actual", first: "asc" }, render: (r) => <strong><ScoreNumber value={r.actual} /></strong> },
  { key: "devices", title: "Devices", width: 96, align: "end", sort: { key: "devices", first: "desc" }, render: (r) => number(r.devices) },
  { key: "restarts", title: "Restarts", width: 98, align: "end", optional: true, sort: { key: "restarts", first: "desc" }, render: (r) => number(r.restarts) },
  { key: "groups", title: "Device groups", width: 140, wrap: true, render: (r) => <span title={groupWords(r)}>{groupWords(r)}</span> },
  { key: "created", title: "Made", width: 130, wrap: true, sort: { key: "created", first: "desc" }, render: (r) => <Moment at={r.created_at} /> },
  { key: "by", title: "Made by", width: 130, optional: true, render: (r) => r.created_by },
];

/** The saved patch plans: what was predicted, and what became of it. */
export function PlansPage() {
  return (
    <PageHead title="Patch plans" text="What was predicted when a plan was made, and the score of the same devices now.">
      <PlanTabs on="saved" />
      <ListView
        name="plans"
        label="Patch plans"
        spec={spec}
        groups={groups}
        columns={columns}
        query={plans}
        rowKey={(r) => r.id}
        searchLabel="Search name, who made it"
        exportPath="/plans"
        flyout={(id, frame) => <PlanFlyout key={id} id={id} frame={frame} />}
        empty={<Empty icon={<TaskListSquareLtrRegular />} title="No plan is saved" action={<ButtonLink primary to="/recommendations/plan">Make a plan</ButtonLink>}>A saved plan shows which of its steps are carried out, and the actual score beside the predicted one.</Empty>}
      />
    </PageHead>
  );
}
