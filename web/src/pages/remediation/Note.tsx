import { Button, Field, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { useEffect, useRef, useState } from "react";

const useStyles = makeStyles({
  box: { width: "100%", margin: "8px 8px 0", padding: "14px 16px", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground2 },
  text: { margin: "0 0 10px" },
  row: { display: "flex", gap: "8px", marginTop: "12px" },
});

/** Asks for a word of explanation before something is done. */
export function Note({ title, text, busy, onGo, onCancel }: { title: string; text: string; busy: boolean; onGo: (note: string) => void; onCancel: () => void }) {
  const s = useStyles();
  const [note, setNote] = useState("");
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <form
      className={s.box}
      aria-label={title}
      onSubmit={(e) => {
        e.preventDefault();
        onGo(note.trim());
      }}
    >
      <p className={s.text}>{text}</p>
      <Field label="Why (optional, goes into the history)">
        <Textarea ref={box} value={note} maxLength={4000} onChange={(_, d) => setNote(d.value)} />
      </Field>
      <div className={s.row}>
        <Button appearance="primary" type="submit" disabled={busy}>{title}</Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
