import { makeStyles, tokens } from "@fluentui/react-components";
import type { PackageRow } from "../../api/schema";
import { role, section } from "../../lib/words";
import { Chip } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import { Day } from "../../ui/Time";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: "10px" },
  item: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, padding: "10px 14px" },
  head: { display: "flex", gap: "8px", flexWrap: "wrap", alignItems: "baseline" },
  name: { fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  quiet: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200, overflowWrap: "anywhere", marginTop: "2px" },
  paths: { margin: "6px 0 0", padding: 0, listStyleType: "none", overflowWrap: "anywhere" },
});

/** The package records beneath a product, with the places where they were found. */
export function PackageList({ packages }: { packages: readonly PackageRow[] }) {
  const s = useStyles();
  return (
    <ul className={s.list}>
      {packages.map((p, i) => (
        <li key={`${p.section} ${p.name} ${p.version} ${p.arch} ${i}`} className={s.item}>
          <div className={s.head}>
            <span className={s.name}>{p.name}</span>
            <span>{p.version}</span>
            {p.arch && <span className={s.quiet}>{p.arch}</span>}
            {p.role && <Chip tone="info">{role(p.role)}</Chip>}
            {p.residual && <Chip tone="quiet" title="The package is removed; only its configuration files remain. It is never assessed.">Configuration only</Chip>}
          </div>
          {p.summary && <div className={s.quiet}>{p.summary}</div>}
          <div className={s.quiet}>
            {section(p.section)}
            {p.source && ` · source ${p.source}${p.source_version ? ` ${p.source_version}` : ""}`}
            {p.installed_at && <> · installed <Day at={p.installed_at} /></>}
          </div>
          {p.paths.length > 0 && (
            <ul className={s.paths} aria-label="Paths">
              {p.paths.map((x) => <li key={x}><Mono>{x}</Mono></li>)}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}
