import { Button, Checkbox, Field, Input, MessageBar, MessageBarBody, Spinner, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { CheckmarkCircleFilled, DocumentArrowUpRegular, ErrorCircleFilled } from "@fluentui/react-icons";
import { useId, useRef, useState, type ReactNode } from "react";
import { Problem, explain } from "../api/client";
import type { Sending } from "../api/exchange";
import { bytes, percent } from "../lib/format";

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "18px" },
  drop: {
    display: "flex",
    flexDirection: "column",
    alignItems: "center",
    gap: "10px",
    padding: "28px 20px",
    textAlign: "center",
    color: tokens.colorNeutralForeground2,
    backgroundColor: tokens.colorNeutralBackground2,
    border: `2px dashed ${tokens.colorNeutralStroke1}`,
    borderRadius: tokens.borderRadiusLarge,
  },
  over: { backgroundColor: tokens.colorBrandBackground2, border: `2px dashed ${tokens.colorBrandStroke1}` },
  icon: { fontSize: "32px", color: tokens.colorCompoundBrandForeground1, display: "flex" },
  hidden: { position: "absolute", width: "1px", height: "1px", overflow: "hidden", clipPath: "inset(50%)" },
  list: { margin: 0, padding: 0, listStyleType: "none", display: "flex", flexDirection: "column", gap: "12px" },
  item: { display: "flex", gap: "10px", alignItems: "flex-start" },
  mark: { fontSize: "18px", display: "flex", marginTop: "1px", flexShrink: 0 },
  good: { color: tokens.colorStatusSuccessForeground1 },
  bad: { color: tokens.colorStatusDangerForeground1 },
  words: { minWidth: 0, overflowWrap: "anywhere" },
  file: { fontWeight: tokens.fontWeightSemibold },
  quiet: { color: tokens.colorNeutralForeground3 },
});

type Outcome<T> = { file: File; result?: T; error?: unknown };

export interface ImportFormProps<T> {
  /** Largest file that the server takes, in bytes. */
  most: number;
  accept: string;
  hint: ReactNode;
  /** Label and hint of a name that may be given with one file; none: no such field. */
  name?: { label: string; hint: string };
  send: (file: File, options: Sending) => Promise<T>;
  shown: (result: T) => ReactNode;
}

/** Takes files by a button or dropped, sends them one after another and says what became of each. */
export function ImportForm<T>({ most, accept, hint, name: named, send, shown }: ImportFormProps<T>) {
  const s = useStyles();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [name, setName] = useState("");
  const [force, setForce] = useState(false);
  const [busy, setBusy] = useState("");
  const [sent, setSent] = useState(0);
  const [done, setDone] = useState<readonly Outcome<T>[]>([]);
  const take = async (files: readonly File[]) => {
    setDone([]);
    for (const file of files) {
      setBusy(file.name);
      setSent(0);
      let outcome: Outcome<T>;
      try {
        if (file.size > most) throw new Error(`The file has ${bytes(file.size)}, at most ${bytes(most)} are taken.`);
        outcome = { file, result: await send(file, { name: files.length === 1 ? name.trim() : "", force, progress: setSent }) };
      } catch (error) {
        outcome = { file, error };
      }
      setDone((all) => [...all, outcome]);
    }
    setBusy("");
  };
  const older = done.some((o) => o.error instanceof Problem && o.error.status === 409);
  return (
    <div className={s.form}>
      {named && (
        <Field label={named.label} hint={named.hint}>
          <Input value={name} maxLength={200} onChange={(_, d) => setName(d.value)} />
        </Field>
      )}
      <div
        className={mergeClasses(s.drop, over && s.over)}
        onDragOver={(e) => {
          e.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(e) => {
          e.preventDefault();
          setOver(false);
          if (busy === "") void take([...e.dataTransfer.files]);
        }}
      >
        <span className={s.icon} aria-hidden><DocumentArrowUpRegular /></span>
        <div>{hint}</div>
        <input
          ref={input}
          id={id}
          className={s.hidden}
          type="file"
          multiple
          tabIndex={-1}
          aria-label="Files to import"
          accept={accept}
          onChange={(e) => {
            const files = [...(e.target.files ?? [])];
            e.target.value = "";
            void take(files);
          }}
        />
        <Button appearance="primary" disabled={busy !== ""} onClick={() => input.current?.click()}>Choose files</Button>
        <span className={s.quiet}>or drop them here</span>
      </div>
      {(older || force) && <Checkbox checked={force} onChange={(_, d) => setForce(d.checked === true)} label="Take it even if it is older than what is loaded" />}
      {busy !== "" && <Spinner size="tiny" labelPosition="after" label={sent < 1 ? `Sending ${busy} … ${percent(sent)}` : `Reading ${busy} …`} />}
      <ul className={s.list} aria-label="Imported files" aria-live="polite">
        {done.map((o, i) => (
          <li key={`${o.file.name}-${i}`} className={s.item}>
            <span className={mergeClasses(s.mark, o.result === undefined ? s.bad : s.good)} aria-hidden>{o.result === undefined ? <ErrorCircleFilled /> : <CheckmarkCircleFilled />}</span>
            <div className={s.words}>
              <div className={s.file}>{o.file.name}</div>
              {o.result === undefined ? <div>{`Not imported: ${explain(o.error)}`}</div> : shown(o.result)}
            </div>
          </li>
        ))}
      </ul>
      {older && !force && <MessageBar intent="info"><MessageBarBody>A younger document is loaded already. To go back to an older one, tick the box and import it again.</MessageBarBody></MessageBar>}
    </div>
  );
}
