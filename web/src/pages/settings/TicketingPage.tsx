import { Button, Spinner, makeStyles } from "@fluentui/react-components";
import { AddRegular, TicketDiagonalRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ticketing } from "../../api/remediation";
import type { DestinationRow } from "../../api/schema";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { kinds } from "../../lib/remediation";
import { Empty } from "../../ui/Empty";
import { Menu } from "../../ui/Menu";
import { DestinationCard } from "./DestinationCard";
import { DestinationForm, blank, draftOf, type Draft } from "./DestinationForm";

const useStyles = makeStyles({
  bar: { margin: "14px 0 16px" },
  grid: { display: "grid", gap: "16px", gridTemplateColumns: "repeat(auto-fill, minmax(400px, 1fr))", maxWidth: "1280px" },
});

/** Where tickets of remediation activities go. */
export function TicketingPage() {
  const s = useStyles();
  const { data, error, refetch } = useQuery(ticketing);
  const [draft, setDraft] = useState<Draft>();
  if (error && !data) return <ErrorPage error={error} retry={() => void refetch()} />;
  const add = (
    <Menu
      label="Kind of destination"
      entries={kinds.map((k) => ({ kind: "action" as const, key: k.kind, text: k.word, onSelect: () => setDraft(blank(k.kind)) }))}
      trigger={(p) => <Button appearance="primary" icon={<AddRegular />} {...p}>Add a destination</Button>}
    />
  );
  return (
    <PageHead title="Ticketing" scroll text="Where requests for remediation go. What is sent is kept in an outbox until the receiver has it, and is never sent as two tickets.">
      {!data ? (
        <Spinner label="Reading …" />
      ) : data.length === 0 ? (
        <Empty icon={<TicketDiagonalRegular />} title="No place for tickets is set up" action={add}>
          Add a signed webhook, an e-mail address, Jira, GitHub issues or ServiceNow. Whoever requests remediation can then choose it.
        </Empty>
      ) : (
        <>
          <div className={s.bar}>{add}</div>
          <div className={s.grid}>{data.map((d: DestinationRow) => <DestinationCard key={d.id} d={d} onEdit={() => setDraft(draftOf(d))} />)}</div>
        </>
      )}
      {draft && <DestinationForm key={`${draft.id} ${draft.kind}`} first={draft} onClose={() => setDraft(undefined)} />}
    </PageHead>
  );
}
