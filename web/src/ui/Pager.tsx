import { Button, Select, makeStyles, tokens } from "@fluentui/react-components";
import { ChevronLeftRegular, ChevronRightRegular } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import { number } from "../lib/format";
import { pageSizes } from "../lib/search";

const useStyles = makeStyles({
  root: { display: "flex", alignItems: "center", gap: "12px", flexWrap: "wrap", padding: "8px 0", borderTop: `1px solid ${tokens.colorNeutralStroke2}`, color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  asOf: { flexGrow: 1 },
  size: { display: "flex", alignItems: "center", gap: "8px" },
  nav: { display: "flex", alignItems: "center", gap: "4px" },
});

/** The foot of a list: time of the answer, page size, pages. */
export function Pager({ page, size, total, onPage, onSize, children }: { page: number; size: number; total: number; onPage: (n: number) => void; onSize: (n: number) => void; children?: ReactNode }) {
  const s = useStyles();
  const last = Math.max(1, Math.ceil(total / size));
  const from = total === 0 ? 0 : (page - 1) * size + 1;
  return (
    <div className={s.root} role="group" aria-label="Pages">
      <span className={s.asOf}>{children}</span>
      <label className={s.size}>
        Rows per page
        <Select size="small" value={String(size)} onChange={(_, d) => onSize(Number(d.value))}>
          {pageSizes.map((n) => (
            <option key={n} value={n}>{n}</option>
          ))}
        </Select>
      </label>
      <div className={s.nav}>
        <span>{`${number(Math.min(from, total))}–${number(Math.min(page * size, total))} of ${number(total)}`}</span>
        <Button appearance="subtle" size="small" icon={<ChevronLeftRegular />} aria-label="Previous page" disabled={page <= 1} onClick={() => onPage(page - 1)} />
        <Button appearance="subtle" size="small" icon={<ChevronRightRegular />} aria-label="Next page" disabled={page >= last} onClick={() => onPage(page + 1)} />
      </div>
    </div>
  );
}
