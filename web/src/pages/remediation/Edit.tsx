import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { useEffect, useRef, useState } from "react";
import type { Remediation } from "../../api/schema";
import { WorkFields, type Work } from "../../ui/WorkFields";

const useStyles = makeStyles({
  box: { width: "100%", margin: "8px 8px 0", padding: "14px 16px", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground2, display: "flex", flexDirection: "column", gap: "16px", outline: "none" },
  row: { display: "flex", gap: "8px" },
});

const same = (a: Work, b: Work): boolean => a.priority === b.priority && a.due === b.due && a.notes.trim() === b.notes.trim();

/** Changes what was said of an activity when it was requested. */
export function Edit({ d, busy, onGo, onCancel }: { d: Remediation; busy: boolean; onGo: (work: Work) => void; onCancel: () => void }) {
  const s = useStyles();
  const was: Work = { priority: d.priority, due: d.due, notes: d.notes };
  const [work, setWork] = useState(was);
  const box = useRef<HTMLFormElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <form ref={box} tabIndex={-1} className={s.box} aria-label="Edit the activity" onSubmit={(e) => { e.preventDefault(); onGo({ ...work, notes: work.notes.trim() }); }}>
      <WorkFields work={work} dated={d.tracked} onChange={(part) => setWork({ ...work, ...part })} />
      <div className={s.row}>
        <Button appearance="primary" type="submit" disabled={busy || same(work, was)}>Save</Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
