import { Button, MessageBar, MessageBarBody, Spinner, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { AddRegular, ArrowDownRegular, ArrowDownloadRegular, ArrowUpRegular, ReOrderDotsVerticalRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type DragEvent } from "react";
import { address, explain } from "../../api/client";
import { deviceGroups } from "../../api/queries";
import { deleteDeviceGroup, orderDeviceGroups, saveDeviceGroup } from "../../api/settings";
import type { DeviceGroup } from "../../api/schema";
import { Anchor, OpenLink } from "../../app/Anchor";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { useOpen } from "../../app/useOpen";
import { vexDownloads } from "../../app/vexDownloads";
import { number } from "../../lib/format";
import { rulesText } from "../../lib/rules";
import { ExposureLevel, ScoreNumber } from "../../ui/Exposure";
import { Hidden } from "../../ui/Hidden";
import { Menu } from "../../ui/Menu";
import { namesOf, userGroups } from "../../api/people";
import { AccessPanel } from "./AccessPanel";
import { RuleSetPanel, freshRuleSet } from "./RuleSetPanel";

const useStyles = makeStyles({
  bar: { margin: "14px 0 10px -8px" },
  wrong: { marginBottom: "10px" },
  table: { width: "100%", borderCollapse: "collapse", tableLayout: "fixed" },
  head: { textAlign: "start", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2, padding: "8px 12px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  cell: { padding: "8px 12px", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, overflowWrap: "anywhere", verticalAlign: "middle" },
  end: { textAlign: "end", fontVariantNumeric: "tabular-nums" },
  rank: { display: "flex", alignItems: "center", gap: "6px", fontVariantNumeric: "tabular-nums" },
  grip: { display: "flex", color: tokens.colorNeutralForeground3, fontSize: "18px", cursor: "grab" },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  over: { boxShadow: `inset 0 2px 0 ${tokens.colorCompoundBrandStroke}` },
  under: { boxShadow: `inset 0 -2px 0 ${tokens.colorCompoundBrandStroke}` },
  held: { opacity: 0.5 },
  tools: { display: "flex", justifyContent: "flex-end" },
});

/** An order with one of its items at another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, i) => i !== from);
  return [...rest.slice(0, to), ...list.slice(from, from + 1), ...rest.slice(to)];
}

/** Settings › Device groups: the groups by rank, and their editor. */
export function DeviceGroupsPage() {
  const s = useStyles();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(deviceGroups);
  const seers = useQuery({ ...userGroups, retry: false });
  const { open, show, close } = useOpen();
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  const [said, setSaid] = useState("");
  const order = useMutation({
    mutationFn: (ids: number[]) => orderDeviceGroups(ids),
    onMutate: (ids) => {
      client.setQueryData(deviceGroups.queryKey, (now: DeviceGroup[] | undefined) => now?.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id) || 0).sort((a, b) => Number(a.id === 0) - Number(b.id === 0)));
    },
    onSettled: () => client.invalidateQueries(),
  });
  if (error && !data) return <ErrorPage error={error} retry={() => void refetch()} />;
  if (!data) return <PageHead title="Device groups"><Spinner label="Reading …" /></PageHead>;
  const ranked = data.filter((g) => g.id !== 0);
  const shown = data.find((g) => `access-${g.id}` === open);
  const edited = open === "new" ? freshRuleSet() : ranked.find((g) => String(g.id) === open);
  const go = (from: number, to: number) => {
    const g = ranked[from];
    if (!g || to < 0 || to >= ranked.length || from === to) return;
    setSaid(`${g.name} has rank ${to + 1} of ${ranked.length}`);
    order.mutate(moved(ranked, from, to).map((x) => x.id));
  };
  const dragging = (i: number) => ({
    draggable: true,
    onDragStart: (e: DragEvent) => {
      e.dataTransfer.effectAllowed = "move";
      setDrag({ from: i, to: i });
    },
    onDragOver: (e: DragEvent) => {
      if (!drag) return;
      e.preventDefault();
      if (drag.to !== i) setDrag({ ...drag, to: i });
    },
    onDrop: (e: DragEvent) => {
      e.preventDefault();
      if (drag) go(drag.from, drag.to);
      setDrag(undefined);
    },
    onDragEnd: () => setDrag(undefined),
  });
  return (
    <PageHead title="Device groups" scroll text="A device belongs to the first group, by rank, whose rules hold for it. Scores, lists and exports can be narrowed to groups on every page.">
      <div className={s.bar}>
        <Button appearance="subtle" icon={<AddRegular />} onClick={() => show("new")}>New device group</Button>
      </div>
      {order.error && <MessageBar intent="error" className={s.wrong}><MessageBarBody>{explain(order.error)}</MessageBarBody></MessageBar>}
      <div role="status"><Hidden>{said}</Hidden></div>
      <table className={s.table}>
        <caption><Hidden>Device groups by rank</Hidden></caption>
        <colgroup><col style={{ width: 90 }} /><col style={{ width: "20%" }} /><col /><col style={{ width: "18%" }} /><col style={{ width: 90 }} /><col style={{ width: 170 }} /><col style={{ width: 136 }} /></colgroup>
        <thead>
          <tr>
            <th scope="col" className={s.head}>Rank</th>
            <th scope="col" className={s.head}>Name</th>
            <th scope="col" className={s.head}>Rules</th>
            <th scope="col" className={s.head}>Seen by</th>
            <th scope="col" className={mergeClasses(s.head, s.end)}>Devices</th>
            <th scope="col" className={s.head}>Exposure score</th>
            <th scope="col" className={s.head}><Hidden>Download and change rank</Hidden></th>
          </tr>
        </thead>
        <tbody>
          {data.map((g, i) => {
            const own = g.id !== 0;
            return (
              <tr key={g.id} {...(own ? dragging(i) : {})} className={mergeClasses(drag?.from === i && s.held, drag && drag.from !== i && drag.to === i && (drag.to < drag.from ? s.over : s.under))}>
                <td className={s.cell}><span className={s.rank}>{own && <span className={s.grip} aria-hidden title="Drag to another rank"><ReOrderDotsVerticalRegular /></span>}{own ? g.rank : "Last"}</span></td>
                <td className={s.cell}>{own ? <OpenLink id={String(g.id)}>{g.name}</OpenLink> : g.name}{g.description && <div className={s.quiet}>{g.description}</div>}</td>
                <td className={s.cell}>{own ? rulesText(g.rules) || <span className={s.quiet}>No rules</span> : <span className={s.quiet}>All other devices</span>}</td>
                <td className={s.cell}><OpenLink id={`access-${g.id}`}>{g.user_groups.length === 0 ? "Everybody" : namesOf(g.user_groups, seers.data)}</OpenLink></td>
                <td className={mergeClasses(s.cell, s.end)}><Anchor to="/devices" search={{ device_group: String(g.id), group: "" }}>{number(g.devices)}</Anchor></td>
                <td className={s.cell}>{g.score.devices > 0 ? <><ScoreNumber value={g.score.score} />{" "}<ExposureLevel level={g.score.level} /></> : "–"}</td>
                <td className={s.cell}>
                  <div className={s.tools}>
                    {g.devices > 0 && (
                      <Menu
                        label={`Download VEX of ${g.name}`}
                        align="end"
                        entries={vexDownloads((format) => address("/vex/report", { format, group: String(g.id) }))}
                        trigger={(t) => <Button {...t} appearance="subtle" icon={<ArrowDownloadRegular />} aria-label={`${g.name}: download VEX`} title="Download VEX: what can be exploited on its devices" />}
                      />
                    )}
                    {own && (
                      <>
                        <Button appearance="subtle" icon={<ArrowUpRegular />} aria-label={`${g.name}: better rank`} title="Better rank" disabled={i === 0 || order.isPending} onClick={() => go(i, i - 1)} />
                        <Button appearance="subtle" icon={<ArrowDownRegular />} aria-label={`${g.name}: worse rank`} title="Worse rank" disabled={i === ranked.length - 1 || order.isPending} onClick={() => go(i, i + 1)} />
                      </>
                    )}
                  </div>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {shown && <AccessPanel key={open} group={shown} onClose={close} />}
      {edited && (
        <RuleSetPanel
          key={open}
          kind="group"
          set={edited}
          onSave={saveDeviceGroup}
          onDelete={deleteDeviceGroup}
          onClose={close}
          afterDelete="Its devices go on to other groups."
        />
      )}
    </PageHead>
  );
}
