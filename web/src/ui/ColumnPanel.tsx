import { Button, Checkbox, makeStyles } from "@fluentui/react-components";
import { toggle } from "../lib/search";
import { Panel } from "./Panel";

const useStyles = makeStyles({ list: { display: "flex", flexDirection: "column" } });

/** Chooses the columns of a list; each change applies at once. The first column always stays. */
export function ColumnPanel({ columns, shown, onChange, onReset, onClose }: {
  columns: readonly { key: string; title: string }[];
  shown: readonly string[];
  onChange: (keys: string[]) => void;
  onReset: () => void;
  onClose: () => void;
}) {
  const s = useStyles();
  return (
    <Panel title="Customize columns" width={360} onClose={onClose} footer={<Button onClick={onReset}>Reset to default</Button>}>
      <div className={s.list}>
        {columns.map((c, i) => (
          <Checkbox key={c.key} label={c.title} disabled={i === 0} checked={i === 0 || shown.includes(c.key)} onChange={() => onChange(toggle(shown, c.key))} />
        ))}
      </div>
    </Panel>
  );
}
