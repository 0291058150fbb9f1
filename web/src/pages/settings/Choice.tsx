import { Checkbox, makeStyles, tokens } from "@fluentui/react-components";
import { useId, type ReactNode } from "react";

const useStyles = makeStyles({
  list: { display: "grid", gridTemplateColumns: "1fr", margin: "0 -8px" },
  label: { marginBottom: "2px", fontWeight: tokens.fontWeightSemibold },
  hint: { margin: "0 0 4px", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  more: { display: "block", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
});

export interface Option<K> {
  key: K;
  text: string;
  more?: string;
  disabled?: boolean;
}

/** Chooses some of a list. */
export function Choice<K extends string | number>({ label, hint, options, chosen, onChange }: { label: string; hint?: ReactNode; options: readonly Option<K>[]; chosen: readonly K[]; onChange: (list: K[]) => void }) {
  const s = useStyles();
  const id = useId();
  return (
    <div role="group" aria-labelledby={id}>
      <div id={id} className={s.label}>{label}</div>
      {hint && <p className={s.hint}>{hint}</p>}
      <div className={s.list}>
        {options.map((o) => (
          <Checkbox
            key={o.key}
            checked={chosen.includes(o.key)}
            disabled={o.disabled ?? false}
            label={<>{o.text}{o.more && <span className={s.more}>{o.more}</span>}</>}
            onChange={(_, d) => onChange(d.checked === true ? [...chosen, o.key] : chosen.filter((c) => c !== o.key))}
          />
        ))}
      </div>
    </div>
  );
}
