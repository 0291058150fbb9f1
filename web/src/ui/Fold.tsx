import { makeStyles, tokens } from "@fluentui/react-components";
import { ChevronDownRegular, ChevronRightRegular } from "@fluentui/react-icons";
import { useId, type ReactNode } from "react";

const useStyles = makeStyles({
  root: { borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  heading: { margin: 0, font: "inherit" },
  button: {
    display: "flex",
    alignItems: "center",
    gap: "8px",
    width: "100%",
    padding: "12px 20px 12px 16px",
    border: "none",
    background: "none",
    fontFamily: "inherit",
    fontSize: tokens.fontSizeBase300,
    fontWeight: tokens.fontWeightSemibold,
    color: tokens.colorNeutralForeground1,
    textAlign: "start",
    cursor: "pointer",
    "&:hover": { backgroundColor: "var(--colorSurfaceHover)" },
    "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" },
  },
  icon: { display: "flex", fontSize: "16px", color: tokens.colorNeutralForeground3 },
  aside: { marginLeft: "auto", fontWeight: tokens.fontWeightRegular, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  body: { padding: "2px 20px 18px 40px" },
});

/** A section that folds. */
export function Fold({ title, aside, open, onToggle, children }: { title: string; aside?: ReactNode; open: boolean; onToggle: () => void; children: ReactNode }) {
  const s = useStyles();
  const id = useId();
  return (
    <section className={s.root} aria-label={title}>
      <h2 className={s.heading}>
        <button type="button" className={s.button} aria-expanded={open} aria-controls={id} onClick={onToggle}>
          <span className={s.icon} aria-hidden>{open ? <ChevronDownRegular /> : <ChevronRightRegular />}</span>
          {title}
          {aside && <span className={s.aside}>{aside}</span>}
        </button>
      </h2>
      <div id={id} className={s.body} hidden={!open}>{open && children}</div>
    </section>
  );
}
