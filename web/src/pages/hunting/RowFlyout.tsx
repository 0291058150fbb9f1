import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { AddCircleRegular, SubtractCircleRegular } from "@fluentui/react-icons";
import { Anchor } from "../../app/Anchor";
import { entityOf, entityPath } from "../../lib/entity";
import type { HuntColumn } from "../../lib/huntChart";
import { cellText, type Cell } from "../../lib/kql";
import { CopyButton } from "../../ui/Copy";
import { Panel } from "../../ui/Panel";
import { shown } from "./ResultGrid";

const useStyles = makeStyles({
  row: { display: "flex", alignItems: "flex-start", gap: "4px", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, padding: "6px 0" },
  words: { flexGrow: 1, minWidth: 0 },
  name: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  value: { overflowWrap: "anywhere", whiteSpace: "pre-wrap" },
  list: { margin: 0 },
});

export interface RowProps {
  columns: readonly HuntColumn[];
  row: readonly Cell[];
  onClose: () => void;
  onPrevious?: () => void;
  onNext?: () => void;
  /** Narrows the query to rows that have the value, or to those that have not. */
  onNarrow: (column: HuntColumn, value: Cell, has: boolean) => void;
}

/** One row of a result with all its columns. */
export function RowFlyout({ columns, row, onClose, onPrevious, onNext, onNarrow }: RowProps) {
  const s = useStyles();
  return (
    <Panel title="Row" width={560} onClose={onClose} onPrevious={onPrevious} onNext={onNext}>
      <dl className={s.list}>
        {columns.map((c, i) => {
          const v = row[i] ?? null;
          if (v === null || v === "") return null;
          const entity = entityOf(c.name, v);
          const device = c.name === "DeviceId" && typeof v === "string";
          const text = shown(v, c.type);
          return (
            <div key={c.name} className={s.row}>
              <div className={s.words}>
                <dt className={s.name}>{c.name}</dt>
                <dd className={s.value} style={{ margin: 0 }}>{device ? <Anchor to={`/devices/${encodeURIComponent(v)}`}>{text}</Anchor> : entity ? <Anchor to={entityPath(entity)}>{text}</Anchor> : text}</dd>
              </div>
              {c.type !== "dynamic" && (
                <>
                  <Button size="small" appearance="subtle" icon={<AddCircleRegular />} aria-label={`Only rows with this ${c.name}`} title="Only rows with this value" onClick={() => onNarrow(c, v, true)} />
                  <Button size="small" appearance="subtle" icon={<SubtractCircleRegular />} aria-label={`No rows with this ${c.name}`} title="No rows with this value" onClick={() => onNarrow(c, v, false)} />
                </>
              )}
              <CopyButton text={cellText(v)} what={c.name} />
            </div>
          );
        })}
      </dl>
    </Panel>
  );
}
