import { Button, Field, Input, Spinner, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { deleteRole, namesOf, rolePermissions, roles, saveRole, userGroups, type Role, type RolePermission } from "../../api/people";
import { OpenLink } from "../../app/Anchor";
import { ErrorPage } from "../../app/ErrorPage";
import { useOpen } from "../../app/useOpen";
import { Chip } from "../../ui/Chip";
import { PlainTable } from "../../ui/PlainTable";
import { Choice } from "./Choice";
import { EditPanel } from "./EditPanel";

const useStyles = makeStyles({ bar: { margin: "14px 0 10px" }, quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 } });

/** Roles: sets of permissions that user groups are given. */
export function RolesTab() {
  const s = useStyles();
  const list = useQuery(roles);
  const all = useQuery(rolePermissions);
  const groups = useQuery(userGroups);
  const { open, show, close } = useOpen();
  const error = list.error ?? all.error ?? groups.error;
  if (error && !list.data) return <ErrorPage error={error} retry={() => void list.refetch()} />;
  if (!list.data || !all.data) return <Spinner label="Reading …" />;
  const known = all.data;
  const edited = open === "new" ? { id: 0, name: "", description: "", permissions: [], built_in: false, administrator: false, user_groups: [] } : list.data.find((r) => String(r.id) === open);
  return (
    <>
      <div className={s.bar}><Button appearance="primary" icon={<AddRegular />} onClick={() => show("new")}>New role</Button></div>
      <PlainTable
        label="Roles"
        rows={list.data}
        rowKey={(r) => String(r.id)}
        middle
        columns={[
          { key: "name", title: "Name", width: "30%", render: (r) => <><OpenLink id={String(r.id)}>{r.name}</OpenLink>{r.description && <div className={s.quiet}>{r.description}</div>}</> },
          { key: "kind", title: "Kind", width: "110px", render: (r) => <Chip tone="quiet">{r.built_in ? "Built in" : "Own"}</Chip> },
          { key: "may", title: "Permissions", render: (r) => <span title={names(r, known).join("\n")}>{r.administrator ? "All" : (names(r, known)[0] ?? "None") + (r.permissions.length > 1 ? ` and ${r.permissions.length - 1} more` : "")}</span> },
          { key: "groups", title: "User groups", width: "24%", render: (r) => namesOf(r.user_groups, groups.data) || "–" },
        ]}
      />
      {edited && <RolePanel key={open} role={edited} known={known} onClose={close} />}
    </>
  );
}

const names = (r: Role, known: readonly RolePermission[]): string[] => known.filter((p) => r.permissions.includes(p.id)).map((p) => p.name);

function RolePanel({ role, known, onClose }: { role: Role; known: readonly RolePermission[]; onClose: () => void }) {
  const [draft, setDraft] = useState(role);
  const fixed = role.built_in;
  return (
    <EditPanel
      title={role.id === 0 ? "New role" : role.name}
      good={draft.name.trim() !== ""}
      {...(fixed ? {} : { onSave: () => saveRole(role.id, { name: draft.name.trim(), description: draft.description.trim(), permissions: draft.permissions }) })}
      onDelete={role.id === 0 || fixed ? undefined : () => deleteRole(role.id)}
      afterDelete="Nobody has it any more."
      onClose={onClose}
    >
      {fixed && <p>This role is built in and stays as it is.</p>}
      <Field label="Name" required><Input value={draft.name} maxLength={100} disabled={fixed} onChange={(_, d) => setDraft({ ...draft, name: d.value })} /></Field>
      <Field label="Description"><Textarea value={draft.description} maxLength={1000} rows={2} disabled={fixed} onChange={(_, d) => setDraft({ ...draft, description: d.value })} /></Field>
      <Choice
        label="Permissions"
        hint="Which devices they hold for, the device groups say."
        options={known.map((p) => ({ key: p.id, text: p.name, more: p.description, disabled: fixed || p.administrators_only }))}
        chosen={draft.permissions}
        onChange={(permissions) => setDraft({ ...draft, permissions })}
      />
    </EditPanel>
  );
}
