import { Button, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { FilterFilled, FilterRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Suspense, lazy, useEffect, useRef, useState } from "react";
import { deviceGroups } from "../api/queries";
import { chosenOf, selected, selection } from "../lib/groups";
import { number } from "../lib/format";
import type { RawSearch } from "../lib/search";

// Loaded when it is opened first: every page has the button.
const GroupBox = lazy(() => import("./GroupBox").then((m) => ({ default: m.GroupBox })));

const useStyles = makeStyles({
  root: { position: "relative", flexShrink: 0 },
  on: { color: tokens.colorBrandForeground1, "& svg": { color: tokens.colorBrandForeground1 } },
});

/** Which device groups all pages look at. The choice is part of the address and goes along from page to page. */
export function GroupSelector() {
  const s = useStyles();
  const navigate = useNavigate();
  const search: RawSearch = useSearch({ strict: false });
  const { data } = useQuery(deviceGroups);
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    const outside = (e: PointerEvent) => {
      if (!box.current?.contains(e.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  if (!data) return null;

  const all = data.map((g) => g.id);
  const held = chosenOf(selected(`?group=${search.group ?? ""}`), all);
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
        onClick={() => setOpen(!open)}
      >
        {`Selected device groups (${number(held.size)}/${number(all.length)})`}
      </Button>
      {open && (
        <Suspense fallback={null}>
          <GroupBox groups={data} held={held} onApply={apply} onClose={close} />
        </Suspense>
      )}
    </div>
  );
}
