import { makeStyles, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", alignItems: "center", justifyContent: "center", textAlign: "center", gap: "8px", padding: "48px 24px", flexGrow: 1 },
  small: { padding: "20px 8px" },
  icon: { fontSize: "44px", color: tokens.colorNeutralForeground4, display: "flex", marginBottom: "4px" },
  title: { fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold, margin: 0 },
  text: { color: tokens.colorNeutralForeground2, maxWidth: "520px", margin: 0, lineHeight: tokens.lineHeightBase300 },
  action: { marginTop: "12px", display: "flex", gap: "8px" },
});

/** Nothing to show: says why and what to do; `page` when it stands for a whole page. */
export function Empty({ icon, title, children, action, small, page }: { icon?: ReactNode; title: string; children?: ReactNode; action?: ReactNode; small?: boolean; page?: boolean }) {
  const s = useStyles();
  return (
    <div className={small ? `${s.root} ${s.small}` : s.root}>
      {icon && <span className={s.icon} aria-hidden>{icon}</span>}
      {page ? <h1 className={s.title}>{title}</h1> : <p className={s.title}>{title}</p>}
      {children && <p className={s.text}>{children}</p>}
      {action && <div className={s.action}>{action}</div>}
    </div>
  );
}
