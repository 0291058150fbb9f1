import { makeStyles, tokens } from "@fluentui/react-components";
import { BugFilled, FlashFilled, WarningFilled } from "@fluentui/react-icons";
import type { ReactNode } from "react";

const useStyles = makeStyles({
  icon: { position: "relative", display: "inline-flex" },
  badge: { position: "absolute", display: "inline-flex", right: "-5px", bottom: "-3px", fontSize: "11px", color: tokens.colorPaletteDarkOrangeForeground1 },
});

/** An icon with a smaller one at its corner. */
export function Badged({ badge, children }: { badge: ReactNode; children: ReactNode }) {
  const s = useStyles();
  return <span className={s.icon}>{children}<span className={s.badge}>{badge}</span></span>;
}

/** How far exploits of a weakness are: a bug when one is public, with a caution when it is verified, with a lightning when a kit has it. The same everywhere. */
export function ExploitIcon({ how }: { how: "public" | "verified" | "kit" }) {
  if (how === "public") return <BugFilled aria-hidden />;
  return <Badged badge={how === "kit" ? <FlashFilled aria-hidden /> : <WarningFilled aria-hidden />}><BugFilled aria-hidden /></Badged>;
}
