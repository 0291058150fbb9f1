import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { useId, type ReactNode } from "react";

const useStyles = makeStyles({
  card: {
    display: "flex",
    flexDirection: "column",
    minWidth: 0,
    padding: "18px 20px 16px",
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusXLarge,
    boxShadow: tokens.shadow2,
  },
  wide: { gridColumn: "span 2", "@media (max-width: 1180px)": { gridColumn: "auto" } },
  head: { display: "flex", alignItems: "baseline", gap: "12px", marginBottom: "14px" },
  title: { margin: 0, flexGrow: 1, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold },
  body: { flexGrow: 1 },
  foot: { marginTop: "14px" },
});

/** A card of the overview. */
export function Card({ title, aside, foot, wide, children }: { title: string; aside?: ReactNode; foot?: ReactNode; wide?: boolean; children: ReactNode }) {
  const s = useStyles();
  const id = useId();
  return (
    <section className={mergeClasses(s.card, wide && s.wide)} aria-labelledby={id}>
      <div className={s.head}>
        <h2 id={id} className={s.title}>{title}</h2>
        {aside}
      </div>
      <div className={s.body}>{children}</div>
      {foot && <div className={s.foot}>{foot}</div>}
    </section>
  );
}
