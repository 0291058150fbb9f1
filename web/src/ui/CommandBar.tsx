import { Button, Input, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowDownloadRegular, ColumnEditRegular, FilterRegular, SearchRegular } from "@fluentui/react-icons";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Menu } from "./Menu";

const useStyles = makeStyles({
  bar: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "4px 8px", padding: "10px 0" },
  left: { display: "flex", alignItems: "center", gap: "4px", flexGrow: 1, marginLeft: "-8px" },
  right: { display: "flex", alignItems: "center", gap: "4px", flexWrap: "wrap", minWidth: 0 },
  count: { color: tokens.colorNeutralForeground2, whiteSpace: "nowrap", padding: "0 12px" },
  search: { width: "260px", minWidth: "120px", flexShrink: 1, "@media (max-width: 1280px)": { width: "180px" } },
});

/** A search box that tells after a short rest, at once on Enter. */
export function SearchBox({ value, label, onChange }: { value: string; label: string; onChange: (v: string) => void }) {
  const s = useStyles();
  const [text, setText] = useState(value);
  const [told, setTold] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  if (value !== told) {
    setTold(value);
    setText(value);
  }
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (v: string) => {
    clearTimeout(timer.current);
    setTold(v);
    onChange(v);
  };
  return (
    <Input
      className={s.search}
      type="search"
      aria-label={label}
      placeholder={label}
      contentBefore={<SearchRegular aria-hidden />}
      value={text}
      maxLength={200}
      onChange={(_, d) => {
        setText(d.value);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => tell(d.value.trim()), 300);
      }}
      onKeyDown={(e) => {
        if (e.key === "Enter") tell(text.trim());
        if (e.key === "Escape" && text !== "") {
          e.preventDefault();
          setText("");
          tell("");
        }
      }}
    />
  );
}

export interface CommandBarProps {
  q: string;
  searchLabel: string;
  onSearch: (q: string) => void;
  /** "1,204 items". */
  count: ReactNode;
  /** Addresses of the exports of exactly what is filtered. */
  exports?: { csv: string; jsonl: string; ecs?: string };
  onColumns: () => void;
  onFilter?: () => void;
  children?: ReactNode;
}

/** The bar above a list: export left; search, number of items, columns and filters right. */
export function CommandBar(p: CommandBarProps) {
  const s = useStyles();
  return (
    <div className={s.bar} role="group" aria-label="List commands">
      <div className={s.left}>
        {p.exports && (
          <Menu
            label="Export"
            entries={[
              { kind: "download", key: "csv", text: "CSV, all rows of this filter", href: p.exports.csv },
              { kind: "download", key: "jsonl", text: "JSON Lines, all rows of this filter", href: p.exports.jsonl },
              ...(p.exports.ecs ? [{ kind: "download" as const, key: "ecs", text: "JSON Lines in Elastic Common Schema", href: p.exports.ecs }] : []),
            ]}
            trigger={(t) => <Button {...t} appearance="subtle" icon={<ArrowDownloadRegular />}>Export</Button>}
          />
        )}
        {p.children}
      </div>
      <div className={s.right}>
        <SearchBox value={p.q} label={p.searchLabel} onChange={p.onSearch} />
        <span className={s.count} role="status">{p.count}</span>
        <Button appearance="subtle" icon={<ColumnEditRegular />} onClick={p.onColumns}>Customize columns</Button>
        {p.onFilter && <Button appearance="subtle" icon={<FilterRegular />} onClick={p.onFilter}>Filter</Button>}
      </div>
    </div>
  );
}
