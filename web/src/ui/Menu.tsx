import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { CheckmarkRegular } from "@fluentui/react-icons";
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";

export type MenuEntry =
  | { kind: "action"; key: string; text: string; icon?: ReactNode; onSelect: () => void }
  | { kind: "download"; key: string; text: string; href: string }
  | { kind: "choice"; key: string; text: string; checked: boolean; onSelect: () => void }
  | { kind: "rule"; key: string };

export interface MenuProps {
  label: string;
  entries: readonly MenuEntry[];
  align?: "end";
  head?: ReactNode;
  /** The button that opens the menu; it takes these attributes. */
  trigger: (p: { ref: RefObject<HTMLButtonElement | null>; onClick: () => void; "aria-haspopup": "menu"; "aria-expanded": boolean }) => ReactNode;
}

const useStyles = makeStyles({
  root: { position: "relative", display: "inline-flex" },
  list: {
    position: "absolute",
    top: "calc(100% + 4px)",
    left: 0,
    zIndex: 200,
    minWidth: "220px",
    padding: "4px",
    color: tokens.colorNeutralForeground1,
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    boxShadow: tokens.shadow16,
  },
  end: { left: "auto", right: 0 },
  head: { padding: "8px 12px 10px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, marginBottom: "4px" },
  item: {
    display: "flex",
    alignItems: "center",
    gap: "8px",
    width: "100%",
    boxSizing: "border-box",
    minHeight: "32px",
    padding: "4px 12px 4px 8px",
    border: "none",
    borderRadius: tokens.borderRadiusMedium,
    background: "none",
    color: "inherit",
    fontFamily: "inherit",
    fontSize: tokens.fontSizeBase300,
    textAlign: "start",
    textDecorationLine: "none",
    whiteSpace: "nowrap",
    cursor: "pointer",
    "&:hover": { backgroundColor: "var(--colorSurfaceHover)" },
    "&:focus-visible": { backgroundColor: "var(--colorSurfaceHover)", outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" },
  },
  mark: { width: "20px", fontSize: "18px", display: "flex", justifyContent: "center", flexShrink: 0 },
  rule: { margin: "4px -4px", borderTop: `1px solid ${tokens.colorNeutralStroke2}` },
});

function Item({ entry: e, onDone }: { entry: MenuEntry; onDone: () => void }) {
  const s = useStyles();
  if (e.kind === "rule") return <div role="separator" className={s.rule} />;
  if (e.kind === "download") return <a role="menuitem" tabIndex={-1} href={e.href} download className={s.item} onClick={onDone}>{e.text}</a>;
  const choice = e.kind === "choice";
  return (
    <button
      type="button"
      role={choice ? "menuitemradio" : "menuitem"}
      aria-checked={choice ? e.checked : undefined}
      tabIndex={-1}
      className={s.item}
      onClick={() => {
        onDone();
        e.onSelect();
      }}
    >
      <span className={s.mark} aria-hidden>{choice ? e.checked && <CheckmarkRegular /> : e.icon}</span>
      {e.text}
    </button>
  );
}

/** A button with a menu: arrows move, Home and End jump, Escape and a click outside close. */
export function Menu({ label, entries, align, head, trigger }: MenuProps) {
  const s = useStyles();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
    const outside = (e: PointerEvent) => {
      if (!box.current?.contains(e.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const keys = (e: KeyboardEvent) => {
    const items = [...(box.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = items.findIndex((i) => i === document.activeElement);
    const to: Record<string, number> = { ArrowDown: (at + 1) % items.length, ArrowUp: (at - 1 + items.length) % items.length, Home: 0, End: items.length - 1 };
    if (e.key in to) items[to[e.key] ?? 0]?.focus();
    else if (e.key === "Escape") close();
    else if (e.key === "Tab") { setOpen(false); return; }
    else return;
    e.preventDefault();
  };
  return (
    <div ref={box} className={s.root}>
      {trigger({ ref: button, onClick: () => setOpen(!open), "aria-haspopup": "menu", "aria-expanded": open })}
      {open && (
        <div className={mergeClasses(s.list, align && s.end)}>
          {head && <div className={s.head}>{head}</div>}
          <div role="menu" aria-label={label} tabIndex={-1} onKeyDown={keys}>
            {entries.map((e) => <Item key={e.key} entry={e} onDone={close} />)}
          </div>
        </div>
      )}
    </div>
  );
}
