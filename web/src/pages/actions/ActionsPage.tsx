import { Tab, TabList, makeStyles } from "@fluentui/react-components";
import { WrenchRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { machineAction, machineActions } from "../../api/machineActions";
import { device } from "../../api/queries";
import type { MachineAction } from "../../api/schema";
import { ActionDetails } from "../../app/ActionDetails";
import { ActionStatus } from "../../app/ActionStatus";
import { Anchor, OpenLink } from "../../app/Anchor";
import { Flyout } from "../../app/Flyout";
import { ListView, type FlyoutFrame } from "../../app/ListView";
import { PageHead } from "../../app/PageHead";
import { kindName, kinds, kindWords, open, statuses, statusWord } from "../../lib/machineActions";
import type { ListSpec, RawSearch } from "../../lib/search";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({ tabs: { margin: "6px 0 4px -8px", flexShrink: 0 } });

const spec: ListSpec = { filters: { status: statuses, kind: kinds, requester: "any", device: "any" }, defaults: { status: open }, sorts: ["created", "updated", "device", "kind", "status", "requester"], sort: ["-created"] };
const groups: readonly FilterGroup[] = [
  { name: "kind", title: "Action", options: kinds.map((value) => ({ value, label: kindWords[value].name })) },
  { name: "status", title: "State", options: statuses.map((value) => ({ value, label: statusWord[value][0] })) },
  { name: "requester", title: "Submitted by", options: [], free: { hint: "User name" } },
];

const columns: readonly Column<MachineAction>[] = [
  { key: "kind", title: "Action", width: 240, sort: { key: "kind", first: "asc" }, render: (r) => <OpenLink id={r.id}>{`${kindName(r.kind, r.name)}${r.kind === "scan" ? ` (${r.scope.toLowerCase()})` : ""}`}</OpenLink> },
  { key: "device", title: "Device", width: 180, grow: true, sort: { key: "device", first: "asc" }, render: (r) => <Anchor to={`/devices/${encodeURIComponent(r.device_id)}`}>{r.device_name}</Anchor> },
  { key: "status", title: "State", width: 160, sort: { key: "status", first: "asc" }, render: (r) => <ActionStatus action={r} /> },
  { key: "requester", title: "Submitted by", width: 160, sort: { key: "requester", first: "asc" }, render: (r) => r.requester },
  { key: "created", title: "Submitted", width: 130, sort: { key: "created", first: "desc" }, render: (r) => <Ago at={r.created_at} /> },
  { key: "updated", title: "Last change", width: 130, sort: { key: "updated", first: "desc" }, render: (r) => <Ago at={r.updated_at} /> },
  { key: "comment", title: "Comment", width: 240, render: (r) => <span title={r.comment}>{r.comment}</span> },
  { key: "error", title: "Why it failed", width: 240, optional: true, render: (r) => <span title={r.error}>{r.error || "–"}</span> },
  { key: "group", title: "Device group", width: 150, optional: true, render: (r) => r.group },
];

function ActionFlyout({ id, frame }: { id: string; frame: FlyoutFrame }) {
  const { data, error, refetch } = useQuery(machineAction(id));
  const { data: d } = useQuery({ ...device(data?.device_id ?? ""), enabled: data !== undefined });
  return (
    <Flyout frame={frame} title={data ? kindName(data.kind, data.name) : "Action"} subtitle={data?.device_name} state={{ data, error, refetch }}
      tabs={data ? [{ key: "details", title: "Details", render: () => <ActionDetails a={data} connected={d?.connected ?? false} /> }] : []} />
  );
}

/** What was done on devices from afar: what goes on, and what became of the rest. */
export function ActionsPage() {
  const s = useStyles();
  const navigate = useNavigate();
  const raw: RawSearch = useSearch({ strict: false });
  const tab = raw.status === undefined ? "" : raw.status === "any" ? "any" : "some";
  return (
    <PageHead title="Action center" text="Response actions on devices: what waits or goes on, and what became of the others.">
      <TabList className={s.tabs} selectedValue={tab} onTabSelect={(_, d) => void navigate({ to: ".", search: d.value === "" ? {} : { status: "any" } })}>
        <Tab value="">Pending</Tab>
        <Tab value="any">History</Tab>
      </TabList>
      <ListView
        name="actions"
        label="Actions"
        spec={spec}
        groups={groups}
        columns={columns}
        keep={["status"]}
        query={machineActions}
        rowKey={(r) => r.id}
        rowName={(r) => `${kindName(r.kind, r.name)}, ${r.device_name}`}
        flyout={(id, frame) => <ActionFlyout key={id} id={id} frame={frame} />}
        searchLabel="Search device, comment, person"
        exportPath="/machine-actions"
        empty={<Empty icon={<WrenchRegular />} title={tab === "" ? "No action is going on" : "Nothing was done on devices yet"}>Actions are begun on the page of a device, or on the Devices list for several.</Empty>}
      />
    </PageHead>
  );
}
