import { Tab, TabList, makeStyles } from "@fluentui/react-components";
import { LockShieldRegular } from "@fluentui/react-icons";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { approvals } from "../../api/approvals";
import type { ApprovalRow } from "../../api/schema";
import { ListView } from "../../app/ListView";
import { PageHead } from "../../app/PageHead";
import { approvalStates, approvalSubject } from "../../app/approvals";
import type { ListSpec, RawSearch } from "../../lib/search";
import { Chip } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Ago, Moment } from "../../ui/Time";
import { ApprovalFlyout } from "./ApprovalFlyout";

const useStyles = makeStyles({ tabs: { margin: "6px 0 4px -8px", flexShrink: 0 } });

const states = Object.keys(approvalStates) as ApprovalRow["state"][];
const spec: ListSpec = { filters: { state: states, kind: "any", requester: "any", device: "any" }, defaults: { state: ["pending"] }, sorts: ["created", "expires", "name", "requester", "state"], sort: ["-created"] };
const groups: readonly FilterGroup[] = [
  { name: "state", title: "State", options: states.map((value) => ({ value, label: approvalStates[value][0] })) },
  { name: "requester", title: "Asked for by", options: [], free: { hint: "User name" } },
];

/** The state of a request, as a chip. */
export function ApprovalState({ state }: { state: ApprovalRow["state"] }) {
  const [word, tone] = approvalStates[state];
  return <Chip tone={tone}>{word}</Chip>;
}

const columns: readonly Column<ApprovalRow>[] = [
  { key: "name", title: "Action", width: 230, sort: { key: "name", first: "asc" }, render: (r) => r.name },
  { key: "devices", title: "On", width: 220, grow: true, render: (r) => <span title={r.devices.map((d) => d.name).join("\n")}>{approvalSubject(r)}</span> },
  { key: "state", title: "State", width: 170, sort: { key: "state", first: "asc" }, render: (r) => <ApprovalState state={r.state} /> },
  { key: "requester", title: "Asked for by", width: 170, sort: { key: "requester", first: "asc" }, render: (r) => <span title={r.program ? "By a program" : undefined}>{r.requester}</span> },
  { key: "created", title: "Asked", width: 150, sort: { key: "created", first: "desc" }, render: (r) => <Ago at={r.created_at} /> },
  { key: "expires", title: "Waits until", width: 210, sort: { key: "expires", first: "asc" }, render: (r) => (r.state === "pending" ? <Moment at={r.expires_at} /> : "–") },
  { key: "decider", title: "Decided by", width: 160, render: (r) => r.decider ?? "–" },
  { key: "comment", title: "Comment", width: 240, optional: true, render: (r) => <span title={r.comment}>{r.comment}</span> },
];

/** Requests that somebody else has to approve, and what became of them. */
export function ApprovalsPage() {
  const s = useStyles();
  const navigate = useNavigate();
  const raw: RawSearch = useSearch({ strict: false });
  const tab = raw.state === undefined ? "" : raw.state === "any" ? "any" : "some";
  return (
    <PageHead title="Approvals" text="Actions on devices, and looser rules, that somebody else has to approve before they are carried out; and what became of them.">
      <TabList className={s.tabs} selectedValue={tab} onTabSelect={(_, d) => void navigate({ to: ".", search: d.value === "" ? {} : { state: "any" } })}>
        <Tab value="">Waiting</Tab>
        <Tab value="any">History</Tab>
      </TabList>
      <ListView
        name="approvals"
        label="Approvals"
        spec={spec}
        groups={groups}
        columns={columns}
        keep={["state"]}
        query={approvals}
        rowKey={(r) => r.id}
        rowName={(r) => r.name}
        flyout={(id, frame) => <ApprovalFlyout key={id} id={id} frame={frame} />}
        searchLabel="Search requests"
        exportPath="/approvals"
        empty={<Empty icon={<LockShieldRegular />} title={tab === "" ? "Nothing waits for an approval" : "Nothing was asked for yet"}>Which actions need one is said in Settings › Approvals and lockdown.</Empty>}
      />
    </PageHead>
  );
}
