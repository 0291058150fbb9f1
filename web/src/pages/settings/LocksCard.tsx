import { Button, MessageBar, MessageBarBody, Spinner } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { locks, unlock } from "../../api/signin";
import type { LockRow } from "../../api/schema";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Empty } from "../../ui/Empty";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Ago } from "../../ui/Time";

const kinds: Record<LockRow["kind"], string> = { account: "Account", factor: "Second factor of", address: "Address" };

/** Who failed to sign in several times within the hour. */
export function LocksCard() {
  const client = useQueryClient();
  const { data, error } = useQuery(locks);
  const go = useMutation({ mutationFn: unlock, onSettled: () => client.invalidateQueries({ queryKey: locks.queryKey }) });
  const columns: PlainColumn<LockRow>[] = [
    { key: "name", title: "Who", render: (l) => `${kinds[l.kind]} ${l.name}` },
    { key: "failures", title: "Failures", width: "90px", align: "end", render: (l) => l.failures },
    { key: "last", title: "Last", width: "110px", render: (l) => <Ago at={l.last_at} /> },
    { key: "state", title: "State", width: "90px", render: (l) => <Chip tone={l.locked ? "warn" : "quiet"}>{l.locked ? "Waits" : "May try"}</Chip> },
    { key: "do", title: "Action", width: "84px", align: "end", render: (l) => <Button size="small" disabled={go.isPending} onClick={() => go.mutate(l.id)} aria-label={`Unlock ${l.name}`}>Unlock</Button> },
  ];
  return (
    <Card title="Failed sign-ins" foot="After several failures each further attempt waits, at most 15 minutes. Nobody is locked out for ever.">
      {go.error && <MessageBar intent="error"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      {!data ? (
        error ? <Empty small title="Failures could not be read">{explain(error)}</Empty> : <Spinner label="Reading …" />
      ) : data.length === 0 ? (
        <Empty small title="Nobody failed several times within the hour">Accounts and addresses that do are listed here and can be unlocked.</Empty>
      ) : (
        <PlainTable label="Failed sign-ins" middle columns={columns} rows={data} rowKey={(l) => l.id} />
      )}
    </Card>
  );
}
