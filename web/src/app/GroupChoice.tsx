import { Checkbox, Input, makeStyles, tokens } from "@fluentui/react-components";
import { SearchRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { number } from "../lib/format";

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, padding: "4px 8px" },
  list: { display: "flex", flexDirection: "column", maxHeight: "220px", overflowY: "auto" },
  quiet: { display: "block", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

const many = 20;

/** A choice of device groups, with a search when there are more than 20. `held` are those that cannot be chosen, and why. */
export function GroupChoice({ groups, held, chosen, onChoose }: {
  groups: readonly { id: number; name: string; devices: number }[];
  held: ReadonlyMap<number, string>;
  chosen: readonly number[];
  onChoose: (ids: number[]) => void;
}) {
  const s = useStyles();
  const [text, setText] = useState("");
  const needle = text.trim().toLowerCase();
  const shown = groups.filter((g) => g.name.toLowerCase().includes(needle));
  const free = shown.filter((g) => !held.has(g.id)).map((g) => g.id);
  const on = free.filter((id) => chosen.includes(id)).length;
  const put = (ids: readonly number[], yes: boolean) => onChoose([...chosen.filter((c) => !ids.includes(c)), ...(yes ? ids : [])]);
  return (
    <div role="group" aria-label="Device groups" className={s.root}>
      {groups.length > many && (
        <>
          <Input type="search" aria-label="Search device groups" placeholder="Search device groups" contentBefore={<SearchRegular aria-hidden />} value={text} maxLength={100} onChange={(_, d) => setText(d.value)} />
          <Checkbox label={`All ${number(free.length)}${needle ? " that are found" : ""}`} checked={on > 0 && (on === free.length || "mixed")} disabled={free.length === 0} onChange={() => put(free, on < free.length)} />
        </>
      )}
      <div className={s.list}>
        {shown.map((g) => (
          <Checkbox key={g.id} label={<>{`${g.name} (${number(g.devices)})`}{held.has(g.id) && <span className={s.quiet}>{held.get(g.id)}</span>}</>} disabled={held.has(g.id)} checked={chosen.includes(g.id)} onChange={(_, d) => put([g.id], d.checked === true)} />
        ))}
        {shown.length === 0 && <span className={s.quiet}>No group has such a name.</span>}
      </div>
    </div>
  );
}
