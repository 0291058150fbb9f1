import { makeStyles, tokens } from "@fluentui/react-components";
import { useLocation } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";
import { GroupSelector } from "./GroupSelector";

const useStyles = makeStyles({
  page: { display: "flex", flexDirection: "column", flexGrow: 1, minHeight: 0, padding: "20px 24px 4px" },
  scroll: { display: "block", padding: "20px 24px 40px" },
  head: { flexShrink: 0, marginBottom: "4px", display: "flex", alignItems: "flex-start", gap: "16px" },
  words: { flexGrow: 1, minWidth: 0 },
  title: { margin: 0, fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold },
  text: { margin: "2px 0 0", color: tokens.colorNeutralForeground2, maxWidth: "900px" },
});

// Pages that are about all devices that somebody sees, whatever device groups are selected.
const whole = /^\/settings\//;

/** A page with its heading; the browser's title follows it. All pages but the settings are about the selected device groups. */
export function PageHead({ title, text, scroll, children }: { title: string; text?: ReactNode; scroll?: boolean; children: ReactNode }) {
  const s = useStyles();
  const all = useLocation({ select: (l) => whole.test(l.pathname) });
  useEffect(() => {
    document.title = `${title} · Picket`;
  }, [title]);
  return (
    <div className={scroll ? s.scroll : s.page}>
      <div className={s.head}>
        <div className={s.words}>
          <h1 className={s.title}>{title}</h1>
          {text && <p className={s.text}>{text}</p>}
        </div>
        {!all && <GroupSelector />}
      </div>
      {children}
    </div>
  );
}
