import { Button, Checkbox, Input, makeStyles, tokens } from "@fluentui/react-components";
import { SearchRegular } from "@fluentui/react-icons";
import { useEffect, useRef, useState } from "react";
import type { DeviceGroup } from "../api/schema";
import { number } from "../lib/format";
import { Anchor } from "./Anchor";

const useStyles = makeStyles({
  box: {
    position: "absolute",
    top: "calc(100% + 4px)",
    right: 0,
    zIndex: 90,
    width: "340px",
    display: "flex",
    flexDirection: "column",
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusLarge,
    boxShadow: tokens.shadow28,
    outline: "none",
  },
  top: { padding: "14px 16px 6px", display: "flex", flexDirection: "column", gap: "6px" },
  list: { listStyleType: "none", margin: 0, padding: "0 8px", maxHeight: "320px", overflowY: "auto" },
  item: { display: "flex", alignItems: "center", gap: "8px", paddingRight: "10px" },
  grow: { flexGrow: 1, minWidth: 0, overflowWrap: "anywhere" },
  count: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, fontVariantNumeric: "tabular-nums" },
  hint: { padding: "4px 18px 8px", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  foot: { display: "flex", gap: "8px", padding: "12px 16px", borderTop: `1px solid ${tokens.colorNeutralStroke2}` },
});

/** The choice of device groups; nothing changes before Apply. */
export function GroupBox({ groups, held, onApply, onClose }: { groups: readonly DeviceGroup[]; held: ReadonlySet<number>; onApply: (chosen: ReadonlySet<number>) => void; onClose: () => void }) {
  const s = useStyles();
  const [text, setText] = useState("");
  const [draft, setDraft] = useState(held);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector<HTMLElement>("input")?.focus(), []);
  const needle = text.trim().toLowerCase();
  const shown = groups.filter((g) => g.name.toLowerCase().includes(needle));
  const every = shown.length > 0 && shown.every((g) => draft.has(g.id));
  const some = shown.some((g) => draft.has(g.id));
  const put = (ids: readonly number[], on: boolean) => {
    const next = new Set(draft);
    for (const id of ids) if (on) next.add(id); else next.delete(id);
    setDraft(next);
  };
  return (
    <div ref={box} className={s.box} role="dialog" aria-label="Select device groups">
      <div className={s.top}>
        <Input type="search" aria-label="Search device groups" placeholder="Search device groups" contentBefore={<SearchRegular aria-hidden />} value={text} maxLength={100} onChange={(_, d) => setText(d.value)} />
        <Checkbox label={needle ? "All that are found" : "All device groups"} checked={every ? true : some ? "mixed" : false} disabled={shown.length === 0} onChange={() => put(shown.map((g) => g.id), !every)} />
      </div>
      <ul className={s.list} aria-label="Device groups">
        {shown.map((g) => (
          <li key={g.id} className={s.item}>
            <Checkbox className={s.grow} label={g.name} checked={draft.has(g.id)} onChange={() => put([g.id], !draft.has(g.id))} />
            <span className={s.count} title="Devices">{number(g.devices)}</span>
          </li>
        ))}
      </ul>
      <div className={s.hint}>
        {shown.length === 0 ? "No group has such a name." : groups.length === 1 ? <>There are no groups yet. <Anchor to="/settings/device-groups">Make device groups</Anchor></> : draft.size === 0 ? "Select at least one group." : "Holds on every page until it is changed."}
      </div>
      <div className={s.foot}>
        <Button appearance="primary" disabled={draft.size === 0} onClick={() => onApply(draft)}>Apply</Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </div>
  );
}
