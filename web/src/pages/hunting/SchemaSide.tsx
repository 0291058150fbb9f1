import { Input, makeStyles, tokens } from "@fluentui/react-components";
import { ChevronDownRegular, ChevronRightRegular, SearchRegular } from "@fluentui/react-icons";
import { useState } from "react";
import type { Schema } from "../../lib/kql";

const useStyles = makeStyles({
  root: { width: "248px", flexShrink: 0, display: "flex", flexDirection: "column", minHeight: 0, borderRight: `1px solid ${tokens.colorNeutralStroke2}`, paddingRight: "12px", marginRight: "16px" },
  list: { overflow: "auto", flexGrow: 1, minHeight: 0, margin: "8px 0 0", padding: 0, listStyle: "none" },
  inner: { margin: "0 0 6px 22px", padding: 0, listStyle: "none" },
  item: { display: "flex", alignItems: "center", gap: "4px", width: "100%", border: "none", background: "none", padding: "3px 4px", font: "inherit", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground1, textAlign: "start", borderRadius: tokens.borderRadiusSmall, cursor: "pointer", "&:hover": { backgroundColor: tokens.colorNeutralBackground1Hover }, "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
  name: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap", flexGrow: 1 },
  type: { color: tokens.colorNeutralForeground3, flexShrink: 0 },
  empty: { color: tokens.colorNeutralForeground3 },
});

/** The tables and their columns; a click writes a name into the query. */
export function SchemaSide({ schema, onInsert }: { schema: Schema | undefined; onInsert: (text: string) => void }) {
  const s = useStyles();
  const [q, setQ] = useState("");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const low = q.trim().toLowerCase();
  const toggle = (name: string) => setOpen((now) => new Set(now.has(name) ? [...now].filter((n) => n !== name) : [...now, name]));
  return (
    <section className={s.root} aria-label="Schema">
      <Input size="small" aria-label="Search tables and columns" placeholder="Search tables and columns" contentBefore={<SearchRegular />} value={q} onChange={(_, d) => setQ(d.value)} />
      <ul className={s.list}>
        {schema?.tables.map((t) => {
          const columns = low === "" || t.name.toLowerCase().includes(low) ? t.columns : t.columns.filter((c) => c.name.toLowerCase().includes(low));
          if (columns.length === 0) return null;
          const on = open.has(t.name) || (low !== "" && columns.length < t.columns.length);
          return (
            <li key={t.name}>
              <button type="button" className={s.item} aria-expanded={on} title={t.description} onClick={() => toggle(t.name)} onDoubleClick={() => onInsert(t.name)}>
                {on ? <ChevronDownRegular aria-hidden /> : <ChevronRightRegular aria-hidden />}
                <span className={s.name}>{t.name}</span>
              </button>
              {on && (
                <ul className={s.inner}>
                  <li><button type="button" className={s.item} onClick={() => onInsert(t.name)}><span className={s.type}>Write the table's name</span></button></li>
                  {columns.map((c) => (
                    <li key={c.name}>
                      <button type="button" className={s.item} title={`${c.description}${c.filled ? "" : " Always empty here."}`} onClick={() => onInsert(c.name)}>
                        <span className={`${s.name} ${c.filled ? "" : s.empty}`}>{c.name}</span>
                        <span className={s.type}>{c.type}</span>
                      </button>
                    </li>
                  ))}
                </ul>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
