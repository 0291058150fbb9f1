import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { DismissRegular } from "@fluentui/react-icons";
import { moment, time } from "../lib/format";
import type { FilterGroup } from "./FilterPanel";

const useStyles = makeStyles({
  row: { display: "flex", flexWrap: "wrap", gap: "8px", alignItems: "center", padding: "0 0 12px", margin: 0, listStyleType: "none" },
  pill: {
    display: "inline-flex",
    alignItems: "center",
    height: "28px",
    paddingLeft: "12px",
    borderRadius: tokens.borderRadiusCircular,
    border: `1px solid ${tokens.colorNeutralStroke1}`,
    backgroundColor: tokens.colorNeutralBackground1,
    fontSize: tokens.fontSizeBase200,
    maxWidth: "100%",
  },
  name: { color: tokens.colorNeutralForeground2, marginRight: "4px", whiteSpace: "nowrap" },
  values: { fontWeight: tokens.fontWeightSemibold, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap", maxWidth: "340px", background: "none", border: "none", padding: 0, font: "inherit", color: "inherit", cursor: "pointer" },
  close: { minWidth: "26px", width: "26px", height: "26px", padding: 0, marginLeft: "4px", borderRadius: tokens.borderRadiusCircular },
});

/** The filters that hold, one pill each. */
export function FilterPills({ groups, values, onRemove, onClear, onEdit }: {
  groups: readonly FilterGroup[];
  values: Readonly<Record<string, readonly string[]>>;
  onRemove: (name: string) => void;
  onClear: () => void;
  onEdit: () => void;
}) {
  const s = useStyles();
  const held = groups.filter((g) => (values[g.name] ?? []).length > 0);
  if (held.length === 0) return null;
  return (
    <ul className={s.row} aria-label="Filters that hold">
      {held.map((g) => {
        const words = (values[g.name] ?? []).map((v) => g.options.find((o) => o.value === v)?.label ?? (g.moment && time(v) ? moment(new Date(v)) : v)).join(", ");
        return (
          <li key={g.name} className={s.pill}>
            <span className={s.name}>{g.title}:</span>
            <button type="button" className={s.values} onClick={onEdit} title={words}>{words}</button>
            <Button appearance="subtle" size="small" className={s.close} icon={<DismissRegular />} aria-label={`Remove filter ${g.title}`} onClick={() => onRemove(g.name)} />
          </li>
        );
      })}
      <li>
        <Button appearance="transparent" size="small" onClick={onClear}>Clear all</Button>
      </li>
    </ul>
  );
}
