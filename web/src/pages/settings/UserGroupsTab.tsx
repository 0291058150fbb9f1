import { Button, Field, Input, Spinner, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { deleteUserGroup, namesOf, people, roles, saveUserGroup, userGroups, type PersonRow, type Role, type UserGroup } from "../../api/people";
import { deviceGroups } from "../../api/queries";
import { Anchor, OpenLink } from "../../app/Anchor";
import { ErrorPage } from "../../app/ErrorPage";
import { useOpen } from "../../app/useOpen";
import { number } from "../../lib/format";
import { PlainTable } from "../../ui/PlainTable";
import { Choice } from "./Choice";
import { EditPanel } from "./EditPanel";

const useStyles = makeStyles({ bar: { margin: "14px 0 10px" }, quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 } });

const fresh: UserGroup = { id: 0, name: "", description: "", source: "local", built_in: false, roles: [], members: 0, device_groups: [] };

/** User groups: who is in them, which roles they have. */
export function UserGroupsTab() {
  const s = useStyles();
  const list = useQuery(userGroups);
  const all = useQuery(roles);
  const members = useQuery(people(""));
  const devices = useQuery(deviceGroups);
  const { open, show, close } = useOpen();
  const error = list.error ?? all.error ?? members.error;
  if (error && !list.data) return <ErrorPage error={error} retry={() => void list.refetch()} />;
  if (!list.data || !all.data || !members.data) return <Spinner label="Reading …" />;
  const edited = open === "new" ? fresh : list.data.find((g) => String(g.id) === open);
  return (
    <>
      <div className={s.bar}><Button appearance="primary" icon={<AddRegular />} onClick={() => show("new")}>New user group</Button></div>
      <PlainTable
        label="User groups"
        rows={list.data}
        rowKey={(g) => String(g.id)}
        middle
        columns={[
          { key: "name", title: "Name", width: "28%", render: (g) => <><OpenLink id={String(g.id)}>{g.name}</OpenLink><div className={s.quiet}>{g.description || (g.source === "local" ? "" : `From ${g.source.toUpperCase()}`)}</div></> },
          { key: "roles", title: "Roles", render: (g) => namesOf(g.roles, all.data) || "None: its members may do nothing" },
          { key: "members", title: "Members", width: "100px", align: "end", render: (g) => number(g.members) },
          { key: "sees", title: "Device groups that name it", width: "28%", render: (g) => namesOf(g.device_groups, devices.data) || "–" },
        ]}
      />
      {edited && <UserGroupPanel key={open} group={edited} roles={all.data} people={members.data.items} onClose={close} />}
    </>
  );
}

function UserGroupPanel({ group, roles: all, people: everybody, onClose }: { group: UserGroup; roles: readonly Role[]; people: readonly PersonRow[]; onClose: () => void }) {
  const was = everybody.filter((p) => p.local_groups.includes(group.id)).map((p) => p.id);
  const [draft, setDraft] = useState(group);
  const [members, setMembers] = useState(was);
  return (
    <EditPanel
      title={group.id === 0 ? "New user group" : group.name}
      good={draft.name.trim() !== ""}
      onSave={() => saveUserGroup(group.id, { name: draft.name.trim(), description: draft.description.trim(), members, ...(group.built_in ? {} : { roles: draft.roles }) })}
      onDelete={group.id === 0 || group.built_in ? undefined : () => deleteUserGroup(group.id)}
      afterDelete="Its members lose what it gives them."
      onClose={onClose}
    >
      <Field label="Name" required><Input value={draft.name} maxLength={100} disabled={group.built_in} onChange={(_, d) => setDraft({ ...draft, name: d.value })} /></Field>
      <Field label="Description"><Textarea value={draft.description} maxLength={1000} rows={2} onChange={(_, d) => setDraft({ ...draft, description: d.value })} /></Field>
      <Choice
        label="Roles"
        options={all.map((r) => ({ key: r.id, text: r.name, more: r.description, disabled: group.built_in }))}
        chosen={draft.roles}
        onChange={(list) => setDraft({ ...draft, roles: list })}
      />
      <Choice
        label="Members"
        hint={<>People that a directory makes members are not shown here. Which devices they see is said with the <Anchor to="/settings/device-groups">device groups</Anchor>.</>}
        options={everybody.map((p) => ({ key: p.id, text: p.display_name === p.name ? p.name : `${p.display_name} (${p.name})` }))}
        chosen={members}
        onChange={setMembers}
      />
    </EditPanel>
  );
}
