import { Button, Checkbox, Input, makeStyles, tokens } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { localTime } from "../lib/format";
import { toggle } from "../lib/search";
import { Panel } from "./Panel";

/** One filter of a list, as people see it. */
export interface FilterGroup {
  name: string;
  title: string;
  /** The values to choose from, with their words. */
  options: readonly { value: string; label: string; why?: string }[]; // why: nothing can have it, so it cannot be chosen
  /** Values may be typed too, because the set is open. */
  free?: { hint: string };
  /** The value is one moment, in place of choices. */
  moment?: true;
  /** The values are many: they are searched. */
  find?: boolean;
}

const useStyles = makeStyles({
  group: { border: "none", margin: "0 0 24px", padding: 0 },
  title: { fontWeight: tokens.fontWeightSemibold, padding: 0, marginBottom: "4px" },
  options: { display: "flex", flexDirection: "column" },
  find: { width: "100%" },
  why: { display: "block", fontSize: tokens.fontSizeBase200 },
  add: { display: "flex", gap: "8px", marginTop: "6px" },
});

type Values = Readonly<Record<string, readonly string[]>>;

function Free({ group, onAdd }: { group: FilterGroup; onAdd: (v: string) => void }) {
  const s = useStyles();
  const [text, setText] = useState("");
  const add = () => {
    if (text.trim() !== "") onAdd(text.trim());
    setText("");
  };
  return (
    <div className={s.add}>
      <Input
        size="small"
        value={text}
        aria-label={`${group.title}: another value`}
        placeholder={group.free?.hint}
        onChange={(_, d) => setText(d.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter") add();
        }}
      />
      <Button size="small" icon={<AddRegular />} onClick={add} disabled={text.trim() === ""}>
        Add
      </Button>
    </div>
  );
}

/** The panel with all filters of a list; nothing changes before Apply. */
export function FilterPanel({ groups, values, onApply, onClose }: { groups: readonly FilterGroup[]; values: Values; onApply: (v: Record<string, string[]>) => void; onClose: () => void }) {
  const s = useStyles();
  const [draft, setDraft] = useState<Record<string, string[]>>(() => Object.fromEntries(groups.map((g) => [g.name, [...(values[g.name] ?? [])]])));
  const [find, setFind] = useState("");
  const set = (name: string, v: string[]) => setDraft((d) => ({ ...d, [name]: v }));
  return (
    <Panel
      title="Filter"
      width={360}
      onClose={onClose}
      footer={
        <>
          <Button appearance="primary" onClick={() => onApply(draft)}>Apply</Button>
          <Button onClick={() => onApply(Object.fromEntries(groups.map((g) => [g.name, []])))}>Clear all</Button>
        </>
      }
    >
      {groups.map((g) => {
        const chosen = draft[g.name] ?? [];
        const known = new Map(g.options.map((o) => [o.value, o.label]));
        const barred = new Map(g.options.map((o) => [o.value, o.why]));
        for (const v of chosen) if (!known.has(v)) known.set(v, v);
        return (
          <fieldset key={g.name} className={s.group}>
            <legend className={s.title}>{g.title}</legend>
            {g.moment && (
              <Input size="small" type="datetime-local" step={1} aria-label={g.title} value={localTime(chosen[0])} onChange={(_, d) => set(g.name, d.value === "" ? [] : [new Date(d.value).toISOString()])} />
            )}
            {g.find && (known.size > 0 ? <Input className={s.find} size="small" type="search" aria-label={`${g.title}: search`} placeholder="Search" value={find} onChange={(_, d) => setFind(d.value)} /> : "None occurs.")}
            <div className={s.options}>
              {!g.moment && [...known].filter(([v, label]) => !g.find || chosen.includes(v) || label.toLowerCase().includes(find.trim().toLowerCase())).map(([value, label]) => (
                <Checkbox key={value} label={barred.get(value) ? <>{label}<span className={s.why}>{barred.get(value)}</span></> : label} disabled={barred.get(value) !== undefined && !chosen.includes(value)} checked={chosen.includes(value)} onChange={() => set(g.name, toggle(chosen, value))} />
              ))}
            </div>
            {g.free && <Free group={g} onAdd={(v) => set(g.name, chosen.includes(v) ? chosen : [...chosen, v])} />}
          </fieldset>
        );
      })}
    </Panel>
  );
}
