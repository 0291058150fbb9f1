import { Button, Input, makeStyles } from "@fluentui/react-components";
import { AddRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { tags } from "../api/queries";

const useStyles = makeStyles({
  row: { display: "flex", gap: "6px" },
  text: { flexGrow: 1, minWidth: 0 },
});

/** Takes one tag, typed or one of those that are in use. */
export function TagInput({ busy, without, onAdd }: { busy?: boolean; without: readonly string[]; onAdd: (tag: string) => void }) {
  const s = useStyles();
  const id = useId();
  const [text, setText] = useState("");
  const { data } = useQuery(tags);
  const known = (data ?? []).filter((t) => !without.includes(t.tag)).slice(0, 200);
  const add = () => {
    const tag = text.trim();
    if (tag === "" || busy) return;
    onAdd(tag);
    setText("");
  };
  return (
    <div className={s.row}>
      <Input
        className={s.text}
        size="small"
        aria-label="Add a tag"
        placeholder="Add a tag"
        value={text}
        maxLength={100}
        input={{ list: id }}
        onChange={(_, d) => setText(d.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter") add();
        }}
      />
      <datalist id={id}>{known.map((t) => <option key={t.tag} value={t.tag} />)}</datalist>
      <Button size="small" icon={<AddRegular />} disabled={busy === true || text.trim() === ""} onClick={add}>Add</Button>
    </div>
  );
}
