import { Button, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { revokeToken, tokens as tokenQuery } from "../../api/settings";
import type { TokenRow } from "../../api/schema";
import { time } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { Empty } from "../../ui/Empty";
import { Hidden } from "../../ui/Hidden";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  table: { width: "100%", borderCollapse: "collapse" },
  head: { textAlign: "start", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2, padding: "6px 12px 6px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  cell: { padding: "8px 12px 8px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, overflowWrap: "anywhere" },
  end: { textAlign: "end", paddingRight: 0 },
});

/** What a token is worth at a moment. */
export function tokenState(t: TokenRow, now: Date): "Usable" | "Used up" | "Expired" | "Revoked" {
  if (t.revoked) return "Revoked";
  const end = time(t.expires);
  if (end && end < now) return "Expired";
  return t.max_uses > 0 && t.uses >= t.max_uses ? "Used up" : "Usable";
}

/** The enrolment tokens, newest first. */
export function TokenList() {
  const s = useStyles();
  const client = useQueryClient();
  const { data, error, dataUpdatedAt } = useQuery(tokenQuery);
  const revoke = useMutation({ mutationFn: revokeToken, onSettled: () => client.invalidateQueries({ queryKey: tokenQuery.queryKey }) });
  if (error && !data) return <Empty small title="The tokens could not be read">{explain(error)}</Empty>;
  if (!data) return <Spinner label="Reading …" />;
  if (data.length === 0) return <Empty small title="There are no tokens">Create one above to enrol a device.</Empty>;
  const now = new Date(dataUpdatedAt);
  return (
    <table className={s.table}>
      <thead>
        <tr>
          {["Note", "State", "Used", "Expires", "Created by"].map((t) => <th key={t} scope="col" className={s.head}>{t}</th>)}
          <th scope="col" className={s.head}><Hidden>Actions</Hidden></th>
        </tr>
      </thead>
      <tbody>
        {data.map((t) => {
          const state = tokenState(t, now);
          return (
            <tr key={t.id}>
              <td className={s.cell}>{t.note || "–"}</td>
              <td className={s.cell}><Chip tone={state === "Usable" ? "good" : "quiet"}>{state}</Chip></td>
              <td className={s.cell}>{t.max_uses > 0 ? `${t.uses} of ${t.max_uses}` : `${t.uses}, no limit`}</td>
              <td className={s.cell}><Moment at={t.expires} /></td>
              <td className={s.cell}>{t.created_by}</td>
              <td className={`${s.cell} ${s.end}`}>{state === "Usable" && <Button size="small" disabled={revoke.isPending} onClick={() => revoke.mutate(t.id)} aria-label={`Revoke ${t.note || "token"}`}>Revoke</Button>}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
