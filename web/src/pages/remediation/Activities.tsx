import { makeStyles, tokens } from "@fluentui/react-components";
import { ClipboardTaskRegular } from "@fluentui/react-icons";
import { remediations } from "../../api/remediation";
import type { RemediationRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { ListView } from "../../app/ListView";
import { remedy, remedyNames } from "../../lib/exposure";
import { date, number } from "../../lib/format";
import { priorityNames, ticketNames, ticketWord } from "../../lib/remediation";
import type { ListSpec } from "../../lib/search";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Priority, Progress, RemediationStatus, TicketChip } from "../../ui/Remediation";
import { Remedy } from "../../ui/Remedy";
import { Ago, Day } from "../../ui/Time";
import { ActivityFlyout } from "./ActivityFlyout";

const spec: ListSpec = {
  filters: { type: remedyNames, status: ["Active", "Completed"], priority: priorityNames, ticket: ticketNames, overdue: ["true"], recommendation: "any" },
  sorts: ["title", "component", "type", "status", "progress", "priority", "due", "created", "completed", "ticket", "created_by", "completed_by", "targets"],
  sort: ["-created"],
  extra: ["tab"],
};

const groups: readonly FilterGroup[] = [
  { name: "status", title: "Status", options: [{ value: "Active", label: "Active" }, { value: "Completed", label: "Completed" }] },
  { name: "type", title: "Remediation type", options: remedyNames.map((v) => ({ value: v, label: remedy(v).word })) },
  { name: "priority", title: "Priority", options: priorityNames.map((v) => ({ value: v, label: v })) },
  { name: "overdue", title: "Due date", options: [{ value: "true", label: "Overdue" }] },
  { name: "ticket", title: "Tickets", options: ticketNames.map((v) => ({ value: v, label: ticketWord(v).word })) },
];

const useStyles = makeStyles({ late: { color: tokens.colorStatusDangerForeground1, fontWeight: tokens.fontWeightSemibold } });

function Due({ r }: { r: RemediationRow }) {
  const s = useStyles();
  if (r.due === "") return <>–</>;
  return <span className={r.overdue ? s.late : undefined} title={r.overdue ? "The due date has passed" : undefined}>{date(r.due)}</span>;
}

const columns: readonly Column<RemediationRow>[] = [
  { key: "title", title: "Activity", width: 176, grow: true, sort: { key: "title", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.title}</OpenLink> },
  { key: "component", title: "Related component", width: 108, wrap: true, sort: { key: "component", first: "asc" }, render: (r) => <span title={r.component}>{r.component}</span> },
  { key: "type", title: "Remediation type", width: 172, sort: { key: "type", first: "asc" }, render: (r) => <Remedy type={r.type} /> },
  { key: "status", title: "Status", width: 108, sort: { key: "status", first: "asc" }, render: (r) => <RemediationStatus row={r} /> },
  { key: "progress", title: "Progress", width: 144, sort: { key: "progress", first: "asc" }, render: (r) => <Progress row={r} /> },
  { key: "priority", title: "Priority", width: 96, sort: { key: "priority", first: "desc" }, render: (r) => <Priority value={r.priority} /> },
  { key: "due", title: "Due date", width: 122, sort: { key: "due", first: "asc" }, render: (r) => <Due r={r} /> },
  { key: "ticket", title: "Ticket", width: 126, sort: { key: "ticket", first: "asc" }, render: (r) => <TicketChip value={r.ticket} /> },
  { key: "by", title: "Created by", width: 110, optional: true, sort: { key: "created_by", first: "asc" }, render: (r) => <span title={r.created_by}>{r.created_by}</span> },
  { key: "created", title: "Created", width: 106, optional: true, sort: { key: "created", first: "desc" }, render: (r) => <Ago at={r.created_at} /> },
  { key: "completer", title: "Completed by", width: 116, wrap: true, sort: { key: "completed_by", first: "asc" }, render: (r) => <span title={r.completed_by}>{r.completed_by || "–"}</span> },
  { key: "completed", title: "Status since", width: 116, optional: true, sort: { key: "completed", first: "desc" }, render: (r) => <Day at={r.status_at} /> },
  { key: "targets", title: "Targets", width: 80, align: "end", optional: true, sort: { key: "targets", first: "desc" }, render: (r) => number(r.progress.targets) },
  { key: "groups", title: "Device groups", width: 150, optional: true, render: (r) => <span title={r.device_groups.join(", ")}>{r.device_groups.join(", ") || "All"}</span> },
  { key: "notes", title: "Notes", width: 200, optional: true, render: (r) => <span title={r.notes}>{r.notes || "–"}</span> },
];

/** Remediation activities: what was asked for, and how far the fleet is. */
export function Activities() {
  return (
    <ListView
      name="remediations"
      label="Remediation activities"
      spec={spec}
      groups={groups}
      columns={columns}
      query={remediations}
      rowKey={(r) => r.id}
      searchLabel="Search activity, component, notes"
      exportPath="/remediations"
      empty={
        <Empty icon={<ClipboardTaskRegular />} title="Nothing was requested yet" action={<ButtonLink primary to="/recommendations">Show recommendations</ButtonLink>}>
          Open a recommendation and request remediation: Picket then follows the devices that are exposed until the last of them is fixed, with a ticket if you want one.
        </Empty>
      }
      flyout={(id, frame, row) => <ActivityFlyout key={id} id={id} frame={frame} row={row} />}
    />
  );
}
