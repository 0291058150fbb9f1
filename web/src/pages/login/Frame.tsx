import { makeStyles, tokens } from "@fluentui/react-components";
import { useEffect, type ReactNode } from "react";
import { Mark } from "../../app/TopBar";

const useStyles = makeStyles({
  page: { minHeight: "100vh", display: "flex", alignItems: "center", justifyContent: "center", backgroundColor: tokens.colorNeutralBackground3, color: tokens.colorNeutralForeground1, padding: "24px", boxSizing: "border-box" },
  card: { width: "400px", maxWidth: "100%", boxSizing: "border-box", padding: "40px", backgroundColor: tokens.colorNeutralBackground1, borderRadius: tokens.borderRadiusXLarge, boxShadow: tokens.shadow16, border: `1px solid ${tokens.colorNeutralStroke2}` },
  brand: { display: "flex", alignItems: "center", gap: "10px", color: tokens.colorBrandForeground1, fontSize: tokens.fontSizeBase500, fontWeight: tokens.fontWeightSemibold, marginBottom: "24px" },
  title: { margin: "0 0 8px", fontSize: tokens.fontSizeBase600, lineHeight: tokens.lineHeightBase600, fontWeight: tokens.fontWeightSemibold },
  text: { margin: "0 0 20px", color: tokens.colorNeutralForeground2 },
});

/** The card of the pages before sign-in. */
export function Frame({ title, text, children }: { title: string; text?: ReactNode; children?: ReactNode }) {
  const s = useStyles();
  useEffect(() => {
    document.title = `${title} · Picket`;
  }, [title]);
  return (
    <main className={s.page}>
      <div className={s.card}>
        <div className={s.brand}><Mark size={28} />Picket</div>
        <h1 className={s.title}>{title}</h1>
        {text && <p className={s.text}>{text}</p>}
        {children}
      </div>
    </main>
  );
}
