import { makeStyles } from "@fluentui/react-components";
import type { ReactNode } from "react";

const useStyles = makeStyles({ hidden: { position: "absolute", width: "1px", height: "1px", overflow: "hidden", clipPath: "inset(50%)", whiteSpace: "nowrap" } });

/** Words for screen readers alone. */
export function Hidden({ children }: { children: ReactNode }) {
  const s = useStyles();
  return <span className={s.hidden}>{children}</span>;
}
