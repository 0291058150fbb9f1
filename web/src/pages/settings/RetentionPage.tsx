import { Button, Field, Input, MessageBar, MessageBarBody, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { retention, setRetention } from "../../api/retention";
import type { RetentionView, StoredKind } from "../../api/schema";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { bytes, number, plural } from "../../lib/format";
import { Card } from "../../ui/Card";
import { PlainTable } from "../../ui/PlainTable";
import { Ago, Moment } from "../../ui/Time";

const useStyles = makeStyles({
  all: { display: "flex", gap: "16px", flexWrap: "wrap", marginBottom: "16px" },
  number: { width: "110px" },
  row: { display: "flex", gap: "12px", alignItems: "center", marginTop: "16px" },
  lost: { marginBottom: "16px" },
  quiet: { color: tokens.colorNeutralForeground3 },
  page: { marginTop: "14px", maxWidth: "1280px" },
});

const gib = 1024 ** 3;

const words: Record<string, string> = {
  process: "Processes started", processEnd: "Processes ended", network: "Connections", dns: "Answers of name servers", file: "Files", image: "Libraries and scripts", logon: "Logons", account: "Accounts and groups",
  schedule: "Scheduled tasks", service: "Services", kernel: "Kernel modules", package: "Software", antivirus: "Antivirus", response: "Response actions", sensor: "The agent's own",
};

interface Draft {
  days: string;
  gib: string;
  kinds: Record<string, { days: string; gib: string }>;
}

const draftOf = (v: RetentionView): Draft => ({
  days: String(v.days), gib: String(Number((v.bytes / gib).toFixed(2))),
  kinds: Object.fromEntries(v.kinds.map((k) => [k.kind, { days: k.days ? String(k.days) : "", gib: k.bytes ? String(Number((k.bytes / gib).toFixed(3))) : "" }])),
});

function Form({ first }: { first: RetentionView }) {
  const s = useStyles();
  const client = useQueryClient();
  const [d, setD] = useState(() => draftOf(first));
  const go = useMutation({
    mutationFn: () => setRetention({ days: Number(d.days), bytes: Math.round(Number(d.gib) * gib), kinds: Object.entries(d.kinds).filter(([, k]) => k.days !== "" || k.gib !== "").map(([kind, k]) => ({ kind, days: Number(k.days), bytes: Math.round(Number(k.gib) * gib) })) }),
    onSuccess: (now) => {
      client.setQueryData(retention.queryKey, now);
      setD(draftOf(now));
    },
  });
  const changed = JSON.stringify(d) !== JSON.stringify(draftOf(first));
  const kind = (name: string, part: Partial<Draft["kinds"][string]>) => setD({ ...d, kinds: { ...d.kinds, [name]: { days: "", gib: "", ...d.kinds[name], ...part } } });
  const word = (k: StoredKind): string => words[k.kind] ?? k.kind;
  const all = first.stored.reduce((n, k) => n + k.bytes, 0);
  const lost = [first.damage.segments > 0 && plural(first.damage.segments, "file"), first.damage.parts > 0 && plural(first.damage.parts, "part of a file", "parts of files"), first.damage.log_bytes > 0 && `${bytes(first.damage.log_bytes)} of the write-ahead log`].filter(Boolean);
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        go.mutate();
      }}
    >
      <Card title="All events" aside={<span className={s.quiet}>{`${bytes(all)} stored · as of `}<Moment at={first.as_of} /></span>}>
        <div className={s.all}>
          <Field label="Kept for, days"><Input type="number" min={1} max={3650} className={s.number} value={d.days} onChange={(_, v) => setD({ ...d, days: v.value })} /></Field>
          <Field label="At most on disk, GiB"><Input type="number" min={1} step="any" className={s.number} value={d.gib} onChange={(_, v) => setD({ ...d, gib: v.value })} /></Field>
        </div>
        {lost.length > 0 && (
          <MessageBar intent="warning" layout="multiline" className={s.lost}>
            <MessageBarBody>{`${lost.join(", ")} cannot be read: the disk returned something else than was written.${first.damage.events > 0 ? ` Some ${number(first.damage.events)} events were in them.` : ""} Timelines of that time say so.`}</MessageBarBody>
          </MessageBar>
        )}
        <PlainTable
          middle
          label="Kinds of events"
          rows={first.stored}
          rowKey={(k) => k.kind}
          columns={[
            { key: "kind", title: "Kind", render: word },
            { key: "events", title: "Events", width: "9%", align: "end", render: (k) => number(k.events) },
            { key: "bytes", title: "Stored", width: "9%", align: "end", render: (k) => bytes(k.bytes) },
            { key: "day", title: "In 24 hours", width: "10%", align: "end", render: (k) => bytes(k.day_bytes) },
            { key: "oldest", title: "Oldest", width: "11%", render: (k) => (k.oldest ? <Ago at={k.oldest} /> : "–") },
            { key: "hold", title: "Reaches back, at today's rate", width: "13%", align: "end", render: (k) => (k.will_hold_days > 0 ? `${number(Math.round(k.will_hold_days * 10) / 10)} days` : "–") },
            { key: "days", title: "Kept for, days", width: "12%", render: (k) => <Input type="number" min={1} max={3650} className={s.number} aria-label={`${word(k)}: days`} placeholder={d.days} value={d.kinds[k.kind]?.days ?? ""} onChange={(_, v) => kind(k.kind, { days: v.value })} /> },
            { key: "gib", title: "At most, GiB", width: "12%", render: (k) => <Input type="number" min={0} step="any" className={s.number} aria-label={`${word(k)}: GiB`} placeholder="no bound" value={d.kinds[k.kind]?.gib ?? ""} onChange={(_, v) => kind(k.kind, { gib: v.value })} /> },
          ]}
        />
        {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
        <div className={s.row}>
          <Button appearance="primary" type="submit" disabled={go.isPending || !changed}>Save</Button>
          <span role="status" className={s.quiet}>{go.isSuccess && !changed ? "Saved. It holds from now on; what goes is removed in the background." : ""}</span>
        </div>
      </Card>
    </form>
  );
}

/** How long events are kept, and what is stored of each kind. */
export function RetentionPage() {
  const s = useStyles();
  const { data, error, refetch } = useQuery(retention);
  if (error && !data) return <ErrorPage error={error} retry={() => void refetch()} />;
  return (
    <PageHead scroll title="Data retention" text="How long the events of devices are kept. A kind may be kept shorter or be given a bound of its own; whole days go at once, the oldest first.">
      <div className={s.page}>{data ? <Form first={data} /> : <Spinner label="Reading …" />}</div>
    </PageHead>
  );
}
