import { makeStyles, tokens } from "@fluentui/react-components";
import { LockClosedFilled, PulseRegular, ShieldErrorFilled, TargetArrowFilled } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import { threats, type ThreatFacts, type ThreatKind } from "../lib/words";
import { ExploitIcon } from "./Badged";

const icons: Record<ThreatKind, ReactNode> = {
  public: <ExploitIcon how="public" />,
  verified: <ExploitIcon how="verified" />,
  kit: <ExploitIcon how="kit" />,
  kev: <ShieldErrorFilled aria-hidden />,
  ransomware: <LockClosedFilled aria-hidden />,
  epss: <PulseRegular aria-hidden />,
  alert: <TargetArrowFilled aria-hidden />,
};

const useStyles = makeStyles({
  row: { display: "inline-flex", gap: "6px", alignItems: "center", verticalAlign: "middle", fontSize: "18px", color: tokens.colorPaletteRedForeground1 },
  none: { color: tokens.colorNeutralForeground3 },
  list: { display: "flex", flexDirection: "column", gap: "8px", margin: 0, padding: 0, listStyleType: "none" },
  item: { display: "flex", gap: "10px", alignItems: "center" },
  icon: { display: "inline-flex", fontSize: "20px", color: tokens.colorPaletteRedForeground1, flexShrink: 0 },
});

/** The insights as icons, each with its words for pointers and screen readers; a dash for none, unless they are `bare`. */
export function ThreatIcons({ facts, bare }: { facts: ThreatFacts; bare?: boolean }) {
  const s = useStyles();
  const list = threats(facts);
  if (list.length === 0) {
    if (bare) return null;
    return (
      <span className={s.none} role="img" aria-label="No known exploit" title="No known exploit">
        –
      </span>
    );
  }
  return (
    <span className={s.row}>
      {list.map(({ kind, text }) => (
        <span key={kind} role="img" aria-label={text} title={text} style={{ display: "inline-flex" }}>{icons[kind]}</span>
      ))}
    </span>
  );
}

/** The insights as a list of sentences. */
export function ThreatList({ facts }: { facts: ThreatFacts }) {
  const s = useStyles();
  const list = threats(facts);
  if (list.length === 0) return <span>No exploit is known to the loaded intelligence.</span>;
  return (
    <ul className={s.list}>
      {list.map(({ kind, text }) => (
        <li key={kind} className={s.item}>
          <span className={s.icon}>{icons[kind]}</span>
          {text}
        </li>
      ))}
    </ul>
  );
}
