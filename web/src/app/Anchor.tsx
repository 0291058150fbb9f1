import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { RawSearch } from "../lib/search";

const useStyles = makeStyles({
  link: {
    color: tokens.colorBrandForegroundLink,
    textDecorationLine: "none",
    borderRadius: tokens.borderRadiusSmall,
    "&:hover": { color: tokens.colorBrandForegroundLinkHover, textDecorationLine: "underline" },
    "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "1px" },
  },
});

export interface AnchorProps {
  to: string;
  search?: RawSearch | ((before: RawSearch) => RawSearch);
  replace?: boolean;
  className?: string;
  title?: string;
  children: ReactNode;
}

/** A link within the console. */
export function Anchor({ to, search, className, ...rest }: AnchorProps) {
  const s = useStyles();
  return <Link to={to} search={(search ?? {})} className={mergeClasses(s.link, className)} {...rest} />;
}

/** A link to a row's flyout on the page that is shown. */
export function OpenLink({ id, children }: { id: string; children: ReactNode }) {
  return (
    <Anchor to="." search={(before) => ({ ...without(before, "view"), open: id })}>
      {children}
    </Anchor>
  );
}

/** A search without one of its keys. */
export function without(search: RawSearch, key: string): RawSearch {
  return Object.fromEntries(Object.entries(search).filter(([k]) => k !== key));
}

/** A link out of the console, to an advisory or reference; only http and https are links. */
export function Outside({ href, children }: { href: string; children: ReactNode }) {
  const s = useStyles();
  if (!/^https?:\/\//i.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener" className={s.link}>
      {children}
    </a>
  );
}
