import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import type { RawSearch } from "../lib/search";
import { Anchor } from "./Anchor";

const useStyles = makeStyles({
  link: {
    display: "inline-flex",
    alignItems: "center",
    gap: "6px",
    height: "32px",
    padding: "0 10px",
    boxSizing: "border-box",
    borderRadius: tokens.borderRadiusMedium,
    fontWeight: tokens.fontWeightSemibold,
    color: tokens.colorNeutralForeground1,
    "&:hover": { color: tokens.colorNeutralForeground1, backgroundColor: "var(--colorSurfaceHover)", textDecorationLine: "none" },
    "& svg": { fontSize: "20px", color: tokens.colorCompoundBrandForeground1 },
  },
  primary: {
    backgroundColor: tokens.colorBrandBackground,
    color: tokens.colorNeutralForegroundOnBrand,
    padding: "0 14px",
    "&:hover": { backgroundColor: tokens.colorBrandBackgroundHover, color: tokens.colorNeutralForegroundOnBrand, textDecorationLine: "none" },
    "& svg": { fontSize: "20px", color: "inherit" },
  },
});

/** A link that looks like a button of a command bar. */
export function ButtonLink({ to, search, icon, primary, children }: { to: string; search?: RawSearch | ((before: RawSearch) => RawSearch); icon?: ReactNode; primary?: boolean; children: ReactNode }) {
  const s = useStyles();
  return (
    <Anchor to={to} search={search} className={mergeClasses(s.link, primary && s.primary)}>
      {icon}
      {children}
    </Anchor>
  );
}
