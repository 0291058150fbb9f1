import { makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkCircleRegular, SubtractCircleRegular, WarningRegular } from "@fluentui/react-icons";
import type { SectionRow } from "../../api/schema";
import { number, plural } from "../../lib/format";
import { capital, section, sectionStatus } from "../../lib/words";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: "10px" },
  item: { display: "flex", gap: "8px" },
  icon: { fontSize: "18px", display: "flex", flexShrink: 0, paddingTop: "1px" },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, overflowWrap: "anywhere" },
});

/** How well each source of facts was looked at. What does not exist on the host comes last. */
export function CoverageList({ sections }: { sections: readonly SectionRow[] }) {
  const s = useStyles();
  const rank = { partial: 0, complete: 1, not_applicable: 2 } as Record<string, number>;
  const list = [...sections].sort((a, b) => (rank[a.status] ?? 3) - (rank[b.status] ?? 3));
  return (
    <ul className={s.list}>
      {list.map((x) => {
        const tone = x.status === "complete" ? tokens.colorStatusSuccessForeground1 : x.status === "partial" ? tokens.colorStatusWarningForeground1 : tokens.colorNeutralForeground3;
        const Icon = x.status === "complete" ? CheckmarkCircleRegular : x.status === "partial" ? WarningRegular : SubtractCircleRegular;
        return (
          <li key={x.name} className={s.item}>
            <span className={s.icon} style={{ color: tone }} aria-hidden><Icon /></span>
            <div>
              <div>{section(x.name)}</div>
              <div className={s.quiet}>
                {sectionStatus[x.status] ?? x.status}
                {x.status !== "not_applicable" && <> · {x.items === 1 ? plural(1, "item") : `${number(x.items)} items`} · <Ago at={x.seen_at} /></>}
              </div>
              {x.reason && <div className={s.quiet}>{capital(x.reason)}</div>}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
