import { makeStyles, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";

const useStyles = makeStyles({
  grid: { display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(170px, 1fr))", gap: "16px 24px", margin: 0 },
  stack: { display: "flex", flexDirection: "column", gap: "12px", margin: 0 },
  pair: { minWidth: 0 },
  wide: { gridColumn: "1 / -1", minWidth: 0 },
  term: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3, marginBottom: "2px" },
  value: { margin: 0, overflowWrap: "anywhere", lineHeight: tokens.lineHeightBase300 },
  heading: { fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold, margin: "0 0 12px" },
  section: { marginBottom: "28px" },
});

/** Named facts. */
export function Facts({ children, stack }: { children: ReactNode; stack?: boolean }) {
  const s = useStyles();
  return <dl className={stack ? s.stack : s.grid}>{children}</dl>;
}

/** One named fact; nothing when there is no value. */
export function Fact({ name, children, wide }: { name: string; children: ReactNode; wide?: boolean }) {
  const s = useStyles();
  if (children === undefined || children === null || children === "" || children === false) return null;
  return (
    <div className={wide ? s.wide : s.pair}>
      <dt className={s.term}>{name}</dt>
      <dd className={s.value}>{children}</dd>
    </div>
  );
}

/** A part of a flyout with its heading. */
export function Section({ title, children }: { title: string; children: ReactNode }) {
  const s = useStyles();
  return (
    <section className={s.section} aria-label={title}>
      <h3 className={s.heading}>{title}</h3>
      {children}
    </section>
  );
}
