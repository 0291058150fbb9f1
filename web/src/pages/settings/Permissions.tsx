import { Checkbox, makeStyles, tokens } from "@fluentui/react-components";
import { useId } from "react";
import { means } from "../../lib/permissions";

const useStyles = makeStyles({
  list: { display: "grid", gridTemplateColumns: "1fr", margin: "0 -8px" },
  label: { marginBottom: "2px" },
  later: { margin: "10px 0 0", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
});

/** Chooses permissions. Those that open nothing yet stay as they are. */
export function PermissionField({ title = "Permissions", all, chosen, onChange }: { title?: string; all: readonly string[]; chosen: readonly string[]; onChange: (list: string[]) => void }) {
  const s = useStyles();
  const id = useId();
  const rest = chosen.filter((p) => !all.includes(p));
  return (
    <div role="group" aria-labelledby={id}>
      <div id={id} className={s.label}>{title}</div>
      <div className={s.list}>
        {all.map((p) => (
          <Checkbox key={p} checked={chosen.includes(p)} label={means(p) ? `${p}: ${means(p)}` : p} onChange={(_, d) => onChange(d.checked === true ? [...chosen, p] : chosen.filter((c) => c !== p))} />
        ))}
      </div>
      {rest.length > 0 && <p className={s.later}>{`It also holds ${rest.length} permissions that open nothing in this version.`}</p>}
    </div>
  );
}
