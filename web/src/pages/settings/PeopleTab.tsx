import { Button, Checkbox, Field, Input, MessageBar, MessageBarActions, MessageBarBody, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { PersonAddRegular } from "@fluentui/react-icons";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { addPerson, deletePerson, editPerson, endSessions, linkPerson, namesOf, people, resetFactors, userGroups, type PersonLink, type PersonRow, type UserGroup } from "../../api/people";
import { OpenLink } from "../../app/Anchor";
import { ErrorPage } from "../../app/ErrorPage";
import { useOpen } from "../../app/useOpen";
import { number } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { Copyable } from "../../ui/Copy";
import { Panel } from "../../ui/Panel";
import { PlainTable } from "../../ui/PlainTable";
import { Ago } from "../../ui/Time";
import { Choice } from "./Choice";
import { EditPanel } from "./EditPanel";

const useStyles = makeStyles({
  bar: { display: "flex", gap: "12px", margin: "14px 0 10px", alignItems: "center" },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  form: { display: "flex", flexDirection: "column", gap: "18px" },
  tools: { display: "flex", gap: "8px", flexWrap: "wrap" },
});

/** People who may sign in. */
export function PeopleTab() {
  const s = useStyles();
  const [q, setQ] = useState("");
  const list = useQuery({ ...people(q), placeholderData: keepPreviousData });
  const groups = useQuery(userGroups);
  const { open, show, close } = useOpen();
  const [made, setMade] = useState<PersonLink>();
  const error = list.error ?? groups.error;
  if (error && (!list.data || !groups.data)) return <ErrorPage error={error} retry={() => void Promise.all([list.refetch(), groups.refetch()])} />;
  if (!list.data || !groups.data) return <Spinner label="Reading …" />;
  const chosen = list.data.items.find((p) => String(p.id) === open);
  const done = () => {
    setMade(undefined);
    close();
  };
  return (
    <>
      <div className={s.bar}>
        <Button appearance="primary" icon={<PersonAddRegular />} onClick={() => show("new")}>New person</Button>
        <Input type="search" placeholder="Search people" aria-label="Search people" value={q} onChange={(_, d) => setQ(d.value)} />
        {list.data.total > list.data.items.length && <span className={s.quiet}>{`${number(list.data.items.length)} of ${number(list.data.total)}: search for others`}</span>}
      </div>
      {list.data.total === 0 ? <p>Nobody is called that.</p> : (
        <PlainTable
          label="People"
          rows={list.data.items}
          rowKey={(p) => String(p.id)}
          middle
          columns={[
            { key: "name", title: "Name", width: "24%", render: (p) => <><OpenLink id={String(p.id)}>{p.display_name}</OpenLink>{p.display_name !== p.name && <div className={s.quiet}>{p.name}</div>}</> },
            { key: "state", title: "State", width: "130px", render: (p) => <Chip tone={stateOf(p) === "Active" ? "good" : "quiet"}>{stateOf(p)}</Chip> },
            { key: "role", title: "May", width: "140px", render: (p) => p.role },
            { key: "groups", title: "User groups", render: (p) => namesOf(p.user_groups, groups.data) || "None" },
            { key: "sessions", title: "Sessions", width: "90px", align: "end", render: (p) => number(p.sessions) },
            { key: "used", title: "Last used", width: "150px", render: (p) => <Ago at={p.last_used} /> },
          ]}
        />
      )}
      {made && (
        <Panel title={`Sign-in link of ${made.person.display_name}`} width={560} onClose={done}>
          <div className={s.form} role="status">
            <MessageBar intent="warning" layout="multiline"><MessageBarBody>The link is shown only this once, works once and for 24 hours. Whoever has it signs in as this person.</MessageBarBody></MessageBar>
            <Copyable what="sign-in link" text={`${window.location.origin}/welcome#${made.secret}`} />
            <div><Button appearance="primary" onClick={done}>I passed it on</Button></div>
          </div>
        </Panel>
      )}
      {!made && open === "new" && <NewPerson groups={groups.data} onMade={setMade} onClose={done} />}
      {!made && chosen && <PersonPanel key={open} person={chosen} groups={groups.data} onLink={setMade} onClose={done} />}
    </>
  );
}

const stateOf = (p: PersonRow): string => (p.disabled ? "Disabled" : p.link_until && p.sessions === 0 && !p.has_password ? "Invited" : "Active");

const options = (groups: readonly UserGroup[]) => groups.map((g) => ({ key: g.id, text: g.name, ...(g.description ? { more: g.description } : {}) }));

function NewPerson({ groups, onMade, onClose }: { groups: readonly UserGroup[]; onMade: (l: PersonLink) => void; onClose: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [display, setDisplay] = useState("");
  const [chosen, setChosen] = useState<number[]>([]);
  const go = useMutation({
    mutationFn: () => addPerson({ name: name.trim(), display_name: display.trim(), user_groups: chosen }),
    onSuccess: (l) => {
      onMade(l);
      return client.invalidateQueries();
    },
  });
  return (
    <Panel
      title="New person"
      width={560}
      onClose={onClose}
      footer={<><Button appearance="primary" disabled={go.isPending || name.trim() === ""} onClick={() => go.mutate()}>Create</Button><Button onClick={onClose}>Cancel</Button></>}
    >
      <div className={s.form}>
        {go.error && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
        <Field label="User name" required hint="What the person signs in with: letters, digits and . _ @ + -"><Input value={name} maxLength={200} onChange={(_, d) => setName(d.value)} /></Field>
        <Field label="Shown as"><Input value={display} maxLength={100} onChange={(_, d) => setDisplay(d.value)} /></Field>
        <Choice label="User groups" options={options(groups)} chosen={chosen} onChange={setChosen} />
      </div>
    </Panel>
  );
}

function PersonPanel({ person, groups, onLink, onClose }: { person: PersonRow; groups: readonly UserGroup[]; onLink: (l: PersonLink) => void; onClose: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const [display, setDisplay] = useState(person.display_name);
  const [chosen, setChosen] = useState(person.local_groups);
  const [disabled, setDisabled] = useState(Boolean(person.disabled));
  const link = useMutation({
    mutationFn: (reset: boolean) => linkPerson(person.id, reset),
    onSuccess: (l) => {
      onLink(l);
      return client.invalidateQueries();
    },
  });
  const end = useMutation({ mutationFn: () => endSessions(person.id), onSettled: () => client.invalidateQueries() });
  const [sure, setSure] = useState(false);
  const reset = useMutation({
    mutationFn: () => resetFactors(person.id),
    onSettled: () => {
      setSure(false);
      return client.invalidateQueries();
    },
  });
  const wrong = link.error ?? end.error ?? reset.error;
  const others = person.user_groups.filter((g) => !person.local_groups.includes(g));
  return (
    <EditPanel
      title={person.display_name}
      good={display.trim() !== ""}
      onSave={() => editPerson(person.id, { display_name: display.trim(), user_groups: chosen, disabled })}
      onDelete={() => deletePerson(person.id)}
      afterDelete="What the person did stays in the audit log."
      onClose={onClose}
    >
      {wrong && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(wrong)}</MessageBarBody></MessageBar>}
      <Field label="User name"><Input value={person.name} readOnly /></Field>
      <Field label="Shown as" required><Input value={display} maxLength={100} onChange={(_, d) => setDisplay(d.value)} /></Field>
      <Checkbox label="May sign in" checked={!disabled} onChange={(_, d) => setDisabled(d.checked !== true)} />
      <Choice
        label="User groups"
        hint={others.length > 0 ? `A directory makes the person a member of: ${namesOf(others, groups)}.` : undefined}
        options={options(groups)}
        chosen={chosen}
        onChange={setChosen}
      />
      <div className={s.tools}>
        <Button disabled={link.isPending || Boolean(person.disabled)} onClick={() => link.mutate(false)}>New sign-in link</Button>
        <Button disabled={link.isPending || Boolean(person.disabled)} onClick={() => link.mutate(true)}>Reset password and make a link</Button>
        <Button disabled={end.isPending || person.sessions === 0} onClick={() => end.mutate()}>End all sessions</Button>
        {!sure && <Button disabled={reset.isPending} onClick={() => setSure(true)}>Reset second factors</Button>}
      </div>
      {sure && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>Takes the authenticator app, passkeys and recovery codes away and ends every session. Do it only for whom you know.</MessageBarBody>
          <MessageBarActions>
            <Button disabled={reset.isPending} onClick={() => reset.mutate()}>Yes, reset them</Button>
            <Button onClick={() => setSure(false)}>Keep them</Button>
          </MessageBarActions>
        </MessageBar>
      )}
      {reset.isSuccess && <MessageBar intent="success"><MessageBarBody>The second factors are gone, and every session ended.</MessageBarBody></MessageBar>}
    </EditPanel>
  );
}
