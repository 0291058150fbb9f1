import { makeStyles, tokens } from "@fluentui/react-components";
import type { Dashboard, TopRemediation } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { date, number } from "../../lib/format";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Priority, Progress } from "../../ui/Remediation";
import { Remedy } from "../../ui/Remedy";

const useStyles = makeStyles({ late: { color: tokens.colorStatusDangerForeground1, fontWeight: tokens.fontWeightSemibold } });

function Due({ r }: { r: TopRemediation }) {
  const s = useStyles();
  if (r.due === "") return <>–</>;
  return <span className={r.overdue ? s.late : undefined} title={r.overdue ? "The due date has passed" : undefined}>{date(r.due)}</span>;
}

const columns: readonly PlainColumn<TopRemediation>[] = [
  { key: "title", title: "Activity", render: (r) => <Anchor to="/remediation" search={{ open: r.id }}>{r.title}</Anchor> },
  { key: "type", title: "Type", width: "25%", render: (r) => <Remedy type={r.type} /> },
  { key: "priority", title: "Priority", width: "12%", render: (r) => <Priority value={r.priority} /> },
  { key: "due", title: "Due date", width: "15%", render: (r) => <Due r={r} /> },
  { key: "progress", title: "Progress", width: "20%", render: (r) => <Progress row={r} /> },
];

/** What is under way, the most pressing first. */
export function RemediationCard({ d }: { d: Dashboard }) {
  return (
    <Card title="Top remediation activities" wide foot={(
      <>
        {d.remediation_count > 0 && <><Anchor to="/remediation" search={{ status: "Active" }}>{`Show more (${number(d.remediation_count)})`}</Anchor>{" · "}</>}
        <Anchor to="/remediation" search={{ tab: "exceptions", status: "InEffect" }}>Active exceptions</Anchor>
      </>
    )}>
      {d.remediations.length > 0 ? (
        <PlainTable label="Top remediation activities" columns={columns} rows={d.remediations} rowKey={(r) => r.id} middle />
      ) : (
        <Empty small title="Nothing is under way">Open a recommendation and request remediation to follow it here.</Empty>
      )}
    </Card>
  );
}
