import { Button, Checkbox, Input, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { FilterFilled, FilterRegular, SearchRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { deviceGroups } from "../api/queries";
import { chosenOf, selected, selection } from "../lib/groups";
import { number } from "../lib/format";
import type { RawSearch } from "../lib/search";
import { Anchor } from "./Anchor";

const useStyles = makeStyles({
  root: { position: "relative", flexShrink: 0 },
  on: { color: tokens.colorBrandForeground1, "& svg": { color: tokens.colorBrandForeground1 } },
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

/** Which device groups all pages look at. The choice is part of the address and goes along from page to page. */
export function GroupSelector() {
  const s = useStyles();
  const navigate = useNavigate();
  const search: RawSearch = useSearch({ strict: false });
  const { data } = useQuery(deviceGroups);
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [draft, setDraft] = useState<ReadonlySet<number>>(new Set());
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>("input")?.focus();
    const outside = (e: PointerEvent) => {
      if (!box.current?.contains(e.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  if (!data) return null;

  const all = data.map((g) => g.id);
  const held = chosenOf(selected(`?group=${search.group ?? ""}`), all);
  const needle = text.trim().toLowerCase();
  const shown = data.filter((g) => g.name.toLowerCase().includes(needle));
  const every = shown.length > 0 && shown.every((g) => draft.has(g.id));
  const some = shown.some((g) => draft.has(g.id));
  const put = (ids: readonly number[], on: boolean) => {
    const next = new Set(draft);
    for (const id of ids) if (on) next.add(id); else next.delete(id);
    setDraft(next);
  };
  const apply = (chosen: ReadonlySet<number>) => {
    close();
    void navigate({
      to: ".",
      search: ((before: RawSearch) => {
        const kept = Object.entries(before).filter(([k]) => !["page", "open", "view"].includes(k)); // rows of another selection
        return { ...Object.fromEntries(kept), group: selection(chosen, all) };
      }),
    });
  };
  const narrow = held.size < all.length;
  return (
    <div
      ref={box}
      className={s.root}
      onKeyDown={(e) => {
        if (e.key !== "Escape" || !open) return;
        e.preventDefault();
        close();
      }}
    >
      <Button
        ref={button}
        appearance="subtle"
        className={mergeClasses(narrow && s.on)}
        icon={narrow ? <FilterFilled /> : <FilterRegular />}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => {
          setDraft(held);
          setText("");
          setOpen(!open);
        }}
      >
        {`Selected device groups (${number(held.size)}/${number(all.length)})`}
      </Button>
      {open && (
        <div className={s.box} role="dialog" aria-label="Select device groups">
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
            {shown.length === 0 ? "No group has such a name." : all.length === 1 ? <>There are no groups yet. <Anchor to="/settings/device-groups">Make device groups</Anchor></> : draft.size === 0 ? "Select at least one group." : "Holds on every page until it is changed."}
          </div>
          <div className={s.foot}>
            <Button appearance="primary" disabled={draft.size === 0} onClick={() => apply(draft)}>Apply</Button>
            <Button onClick={close}>Cancel</Button>
          </div>
        </div>
      )}
    </div>
  );
}
