import { Input, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { AppsListRegular, DesktopRegular, SearchRegular, ShieldErrorRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState } from "react";
import { search } from "../api/queries";
import type { SearchHit } from "../api/schema";
import { productPath } from "../lib/product";
import { vendor } from "../lib/vendor";

const useStyles = makeStyles({
  root: { position: "relative", width: "100%" },
  input: { width: "100%" },
  list: {
    position: "absolute",
    top: "38px",
    left: 0,
    right: 0,
    zIndex: 200,
    margin: 0,
    padding: "6px",
    maxHeight: "60vh",
    overflow: "auto",
    listStyleType: "none",
    color: tokens.colorNeutralForeground1,
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: tokens.borderRadiusMedium,
    boxShadow: tokens.shadow16,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  hit: { display: "flex", gap: "12px", alignItems: "center", padding: "7px 10px", borderRadius: tokens.borderRadiusMedium, cursor: "pointer" },
  on: { backgroundColor: "var(--colorSurfaceHover)" },
  icon: { fontSize: "20px", color: tokens.colorNeutralForeground2, display: "flex" },
  words: { minWidth: 0, overflow: "hidden" },
  name: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  info: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  none: { padding: "10px", color: tokens.colorNeutralForeground2 },
});

const kinds: Record<string, { Icon: typeof DesktopRegular; word: string }> = {
  device: { Icon: DesktopRegular, word: "Device" },
  software: { Icon: AppsListRegular, word: "Software" },
  weakness: { Icon: ShieldErrorRegular, word: "Weakness" },
};

/** Where a hit of the search leads. */
export function target(h: SearchHit): { to: string; search: Record<string, string> } {
  switch (h.kind) {
    case "device":
      return { to: `/devices/${encodeURIComponent(h.id)}`, search: {} };
    case "software":
      return { to: productPath(h.id), search: {} };
    default:
      return { to: "/weaknesses", search: { open: h.id, q: h.id, exposed: "any" } };
  }
}

/** The search over devices, software and weaknesses. */
export function GlobalSearch() {
  const s = useStyles();
  const id = useId();
  const navigate = useNavigate();
  const box = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  useEffect(() => {
    const t = setTimeout(() => setAsked(text.trim()), 200);
    return () => clearTimeout(t);
  }, [text]);
  useEffect(() => {
    const slash = (e: KeyboardEvent) => {
      if (e.key !== "/" || (e.target as HTMLElement).closest("input, textarea, select")) return;
      e.preventDefault();
      box.current?.focus();
    };
    document.addEventListener("keydown", slash);
    return () => document.removeEventListener("keydown", slash);
  }, []);
  const { data, isFetching } = useQuery(search(asked));
  const hits = data ?? [];
  const shown = open && asked.length > 1;
  const go = (h: SearchHit) => {
    setOpen(false);
    setText("");
    const t = target(h);
    void navigate({ to: t.to, search: t.search });
  };
  return (
    <div className={s.root} role="search" onBlur={(e) => { if (!e.currentTarget.contains(e.relatedTarget)) setOpen(false); }}>
      <Input
        ref={box}
        className={s.input}
        type="search"
        role="combobox"
        aria-label="Search devices, software and weaknesses"
        aria-expanded={shown}
        aria-controls={shown ? id : undefined}
        aria-autocomplete="list"
        aria-activedescendant={shown && hits[at] ? `${id}-${at}` : undefined}
        placeholder="Search devices, software, CVEs"
        contentBefore={<SearchRegular aria-hidden />}
        value={text}
        maxLength={200}
        onFocus={() => setOpen(true)}
        onChange={(_, d) => {
          setText(d.value);
          setOpen(true);
          setAt(0);
        }}
        onKeyDown={(e) => {
          const hit = hits[at];
          if (e.key === "ArrowDown") setAt(Math.min(at + 1, hits.length - 1));
          else if (e.key === "ArrowUp") setAt(Math.max(at - 1, 0));
          else if (e.key === "Enter" && shown && hit) go(hit);
          else if (e.key === "Escape") setOpen(false);
          else return;
          e.preventDefault();
        }}
      />
      {shown && (
        <ul id={id} className={s.list} role="listbox" aria-label="Search results">
          {hits.map((h, i) => {
            const kind = kinds[h.kind];
            const Icon = kind?.Icon ?? SearchRegular;
            return (
              <li key={`${h.kind} ${h.id}`} id={`${id}-${i}`} role="option" aria-selected={i === at} className={mergeClasses(s.hit, i === at && s.on)} onMouseDown={(e) => e.preventDefault()} onMouseEnter={() => setAt(i)} onClick={() => go(h)}>
                <span className={s.icon} title={kind?.word}><Icon aria-hidden /></span>
                <span className={s.words}>
                  <div className={s.name} title={h.name}>{h.name}</div>
                  <div className={s.info}>{`${kind?.word ?? h.kind} · ${h.kind === "software" ? vendor(h.info) : h.info}`}</div>
                </span>
              </li>
            );
          })}
          {hits.length === 0 && <li className={s.none} role="option" aria-selected={false}>{isFetching ? "Searching …" : `Nothing is called “${asked}”.`}</li>}
        </ul>
      )}
    </div>
  );
}
