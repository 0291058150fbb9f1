import { makeStyles, tokens } from "@fluentui/react-components";
import { useEffect, type ReactNode } from "react";

const useStyles = makeStyles({
  page: { display: "flex", flexDirection: "column", flexGrow: 1, minHeight: 0, padding: "20px 32px 4px" },
  scroll: { display: "block", padding: "20px 32px 40px" },
  head: { flexShrink: 0, marginBottom: "4px" },
  title: { margin: 0, fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold },
  text: { margin: "2px 0 0", color: tokens.colorNeutralForeground2, maxWidth: "900px" },
});

/** A page with its heading; the browser's title follows it. */
export function PageHead({ title, text, scroll, children }: { title: string; text?: ReactNode; scroll?: boolean; children: ReactNode }) {
  const s = useStyles();
  useEffect(() => {
    document.title = `${title} · Picket`;
  }, [title]);
  return (
    <div className={scroll ? s.scroll : s.page}>
      <div className={s.head}>
        <h1 className={s.title}>{title}</h1>
        {text && <p className={s.text}>{text}</p>}
      </div>
      {children}
    </div>
  );
}
