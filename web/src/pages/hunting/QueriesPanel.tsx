import { Button, Checkbox, Field, Input, MessageBar, MessageBarBody, Tab, TabList, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { DeleteRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { deleteHuntQuery, huntQueries, saveHuntQuery } from "../../api/hunting";
import { session } from "../../api/queries";
import type { HuntQuery } from "../../api/schema";
import { number } from "../../lib/format";
import { Empty } from "../../ui/Empty";
import { Panel } from "../../ui/Panel";
import { Ago } from "../../ui/Time";
import { readHistory } from "./history";

const useStyles = makeStyles({
  item: { display: "flex", alignItems: "flex-start", gap: "8px", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, padding: "8px 0" },
  open: { flexGrow: 1, minWidth: 0, border: "none", background: "none", padding: 0, font: "inherit", color: tokens.colorBrandForegroundLink, textAlign: "start", cursor: "pointer", "&:hover": { textDecorationLine: "underline" }, "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, display: "block" },
  code: { display: "block", fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, whiteSpace: "nowrap", overflow: "hidden", textOverflow: "ellipsis" },
  form: { display: "flex", flexDirection: "column", gap: "14px" },
});

/** Saved queries, own and shared, and the queries that were run in this browser. */
export function QueriesPanel({ onOpen, onClose }: { onOpen: (query: string, saved?: HuntQuery) => void; onClose: () => void }) {
  const s = useStyles();
  const [tab, setTab] = useState("saved");
  const { data, error } = useQuery(huntQueries);
  const client = useQueryClient();
  const remove = useMutation({ mutationFn: deleteHuntQuery, onSuccess: () => client.invalidateQueries({ queryKey: ["hunting", "queries"] }) });
  const { data: me } = useQuery(session);
  const history = readHistory(me?.username ?? "");
  const problem = error ?? remove.error;
  return (
    <Panel title="Queries" width={520} onClose={onClose} tabs={<TabList size="small" selectedValue={tab} onTabSelect={(_, d) => setTab(String(d.value))}><Tab value="saved">Saved</Tab><Tab value="history">History</Tab></TabList>}>
      {problem && <MessageBar intent="error"><MessageBarBody>{explain(problem)}</MessageBarBody></MessageBar>}
      {tab === "saved" && data?.length === 0 && <Empty title="No saved query">Save a query to run it again, and share it with everybody who may hunt.</Empty>}
      {tab === "saved" && data?.map((q) => (
        <div key={q.id} className={s.item}>
          <button type="button" className={s.open} onClick={() => onOpen(q.query, q)}>
            {q.name}
            <span className={s.quiet}>{[q.description, q.own ? (q.shared ? "yours, shared" : "yours") : `by ${q.author}`].filter((t) => t).join(" · ")}</span>
          </button>
          {q.editable && <Button size="small" appearance="subtle" icon={<DeleteRegular />} aria-label={`Delete ${q.name}`} disabled={remove.isPending} onClick={() => remove.mutate(q.id)} />}
        </div>
      ))}
      {tab === "history" && history.length === 0 && <Empty title="Nothing was run yet">Queries that were run in this browser are listed here.</Empty>}
      {tab === "history" && history.map((h) => (
        <div key={h.at} className={s.item}>
          <button type="button" className={s.open} title={h.query} onClick={() => onOpen(h.query)}>
            <span className={s.code}>{h.query.replaceAll(/\s+/g, " ")}</span>
            <span className={s.quiet}><Ago at={h.at} />{` · ${number(h.rows)} rows`}</span>
          </button>
        </div>
      ))}
    </Panel>
  );
}

/** Saves a query: under a new name, or what was opened. */
export function SavePanel({ query, saved, onSaved, onClose }: { query: string; saved: HuntQuery | undefined; onSaved: (q: HuntQuery) => void; onClose: () => void }) {
  const s = useStyles();
  const mine = saved?.editable ? saved : undefined;
  const [name, setName] = useState(mine?.name ?? "");
  const [description, setDescription] = useState(mine?.description ?? "");
  const [shared, setShared] = useState(mine?.shared ?? false);
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: (id: string) => saveHuntQuery({ id, name: name.trim(), description, shared, query }),
    onSuccess: (q) => {
      void client.invalidateQueries({ queryKey: ["hunting", "queries"] });
      onSaved(q);
    },
  });
  const off = name.trim() === "" || save.isPending;
  return (
    <Panel
      title="Save query"
      width={460}
      onClose={onClose}
      footer={
        <>
          <Button appearance="primary" disabled={off} onClick={() => save.mutate(mine?.id ?? "")}>{mine ? "Save changes" : "Save"}</Button>
          {mine && <Button disabled={off} onClick={() => save.mutate("")}>Save as new</Button>}
          <Button onClick={onClose}>Cancel</Button>
        </>
      }
    >
      <div className={s.form}>
        {save.error && <MessageBar intent="error"><MessageBarBody>{explain(save.error)}</MessageBarBody></MessageBar>}
        <Field label="Name" required><Input value={name} maxLength={200} onChange={(_, d) => setName(d.value)} /></Field>
        <Field label="Description"><Textarea value={description} maxLength={2000} onChange={(_, d) => setDescription(d.value)} /></Field>
        <Checkbox label="Share with everybody who may hunt" checked={shared} onChange={(_, d) => setShared(d.checked === true)} />
      </div>
    </Panel>
  );
}
