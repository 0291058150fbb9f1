import { Button, MessageBar, MessageBarBody, Spinner, makeStyles } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { endOtherSessions, endSession, sessions } from "../../api/account";
import { explain } from "../../api/client";
import type { SessionRow } from "../../api/schema";
import { browserOf } from "../../lib/browser";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Empty } from "../../ui/Empty";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Ago, Moment } from "../../ui/Time";

const useStyles = makeStyles({ box: { maxWidth: "1180px" }, bar: { marginBottom: "12px" } });

/** Where the person is signed in, and the way to end it. */
export function SessionsCard() {
  const s = useStyles();
  const client = useQueryClient();
  const { data, error } = useQuery(sessions);
  const settled = { onSettled: () => client.invalidateQueries({ queryKey: sessions.queryKey }) };
  const end = useMutation({ mutationFn: endSession, ...settled });
  const others = useMutation({ mutationFn: endOtherSessions, ...settled });
  const columns: PlainColumn<SessionRow>[] = [
    { key: "agent", title: "Browser", render: (n) => <span title={n.agent}>{browserOf(n.agent)}{n.current && <>{" "}<Chip tone="good">This session</Chip></>}</span> },
    { key: "remote", title: "Address", width: "16%", render: (n) => n.remote },
    { key: "method", title: "Signed in by", width: "19%", render: (n) => n.method || "–" },
    { key: "created", title: "Signed in", width: "15%", render: (n) => <Moment at={n.created_at} /> },
    { key: "used", title: "Last used", width: "13%", render: (n) => <Ago at={n.used_at} /> },
    {
      key: "end",
      title: "Action",
      width: "72px",
      align: "end",
      render: (n) => !n.current && <Button size="small" disabled={end.isPending} onClick={() => end.mutate(n.id)} aria-label={`End the session of ${browserOf(n.agent)} at ${n.remote}`}>End</Button>,
    },
  ];
  const trouble = end.error ?? others.error;
  return (
    <div className={s.box}>
      <Card
        title="Sessions"
        aside={data && data.length > 1 && <Button size="small" disabled={others.isPending} onClick={() => others.mutate()}>End all others</Button>}
        foot="A session ends after 12 hours without use, and after 7 days in any case."
      >
        {trouble && <MessageBar intent="error" className={s.bar}><MessageBarBody>{explain(trouble)}</MessageBarBody></MessageBar>}
        {error && !data ? <Empty small title="The sessions could not be read">{explain(error)}</Empty> : !data ? <Spinner label="Reading …" /> : <PlainTable label="Your sessions" middle columns={columns} rows={data} rowKey={(n) => n.id} />}
      </Card>
    </div>
  );
}
