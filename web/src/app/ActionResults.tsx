import { makeStyles, tokens } from "@fluentui/react-components";
import type { ActionAnswer, ActionAnswers } from "../api/schema";
import { plural } from "../lib/format";
import { PlainTable, type PlainColumn } from "../ui/PlainTable";
import { ActionStatus } from "./ActionStatus";
import { Anchor } from "./Anchor";

const useStyles = makeStyles({ wrong: { color: tokens.colorStatusDangerForeground1, overflowWrap: "anywhere" }, lead: { margin: "0 0 14px", "& a": { textDecorationLine: "underline" } } });

/** What became of asking for an action, device by device. */
export function ActionResults({ answers, devices }: { answers: ActionAnswers; devices: readonly { id: string; name: string }[] }) {
  const s = useStyles();
  const taken = answers.results.filter((r) => r.action).length;
  const columns: readonly PlainColumn<ActionAnswer>[] = [
    { key: "device", title: "Device", width: "36%", render: (r) => <Anchor to={`/devices/${encodeURIComponent(r.device)}`}>{devices.find((d) => d.id === r.device)?.name ?? r.device}</Anchor> },
    { key: "result", title: "Result", render: (r) => (r.action ? <ActionStatus action={r.action} /> : <span className={s.wrong}>{r.error}</span>) },
  ];
  return (
    <>
      <p className={s.lead} role="status">
        {taken === answers.results.length ? `Submitted for ${plural(taken, "device")}. ` : `Submitted for ${taken} of ${plural(answers.results.length, "device")}. `}
        {answers.approval ? <>Somebody else has to approve it first: <Anchor to="/approvals" search={{ open: answers.approval.id }}>see the request</Anchor>.</> : <Anchor to="/actions">See the Action center</Anchor>}
      </p>
      <PlainTable label="Results" columns={columns} rows={answers.results} rowKey={(r) => r.device} />
    </>
  );
}
