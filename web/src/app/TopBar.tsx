import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { PersonSettingsRegular, QuestionCircleRegular, SignOutRegular } from "@fluentui/react-icons";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Suspense, lazy, useState } from "react";
import { session, signOut } from "../api/queries";
import { forgetHunts } from "../lib/hunts";
import type { Me } from "../api/schema";
import { Anchor } from "./Anchor";
import { GlobalSearch } from "./GlobalSearch";
import { setPrefs, usePrefs, type Prefs } from "./prefs";
import { Menu } from "../ui/Menu";

const Help = lazy(() => import("./Help").then((m) => ({ default: m.Help })));

const useStyles = makeStyles({
  bar: {
    height: "48px",
    flexShrink: 0,
    display: "grid",
    gridTemplateColumns: "minmax(150px, 1fr) minmax(200px, 480px) minmax(150px, 1fr)",
    alignItems: "center",
    gap: "16px",
    padding: "0 12px 0 14px",
    backgroundColor: tokens.colorBrandBackground,
    color: tokens.colorNeutralForegroundOnBrand,
  },
  name: {
    display: "inline-flex",
    alignItems: "center",
    gap: "10px",
    fontWeight: tokens.fontWeightSemibold,
    fontSize: tokens.fontSizeBase400,
    color: tokens.colorNeutralForegroundOnBrand,
    "&:hover": { color: tokens.colorNeutralForegroundOnBrand, textDecorationLine: "none" },
    "&:focus-visible": { outlineColor: tokens.colorNeutralForegroundOnBrand },
  },
  right: { display: "flex", justifyContent: "flex-end", alignItems: "center", gap: "4px" },
  tool: {
    minWidth: "36px",
    height: "36px",
    color: tokens.colorNeutralForegroundOnBrand,
    "&:hover": { backgroundColor: tokens.colorBrandBackgroundHover, color: tokens.colorNeutralForegroundOnBrand },
    "&:hover:active": { backgroundColor: tokens.colorBrandBackgroundPressed, color: tokens.colorNeutralForegroundOnBrand },
  },
  avatar: {
    width: "30px",
    height: "30px",
    marginLeft: "4px",
    padding: 0,
    border: `1px solid ${tokens.colorNeutralForegroundOnBrand}`,
    borderRadius: tokens.borderRadiusCircular,
    backgroundColor: tokens.colorNeutralBackground1,
    color: tokens.colorBrandForeground1,
    fontFamily: "inherit",
    fontSize: tokens.fontSizeBase200,
    fontWeight: tokens.fontWeightSemibold,
    cursor: "pointer",
    "&:focus-visible": { outline: `2px solid ${tokens.colorNeutralForegroundOnBrand}`, outlineOffset: "2px" },
  },
  role: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

const themes: readonly [Prefs["theme"], string][] = [["system", "Theme of the system"], ["light", "Light"], ["dark", "Dark"], ["contrast", "High contrast"]];
const densities: readonly [Prefs["density"], string][] = [["comfortable", "Comfortable rows"], ["compact", "Compact rows"]];

/** At most two initials of a name. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  return [words[0], words.length > 1 ? words[words.length - 1] : undefined].map((w) => String.fromCodePoint(...(w ? [w.codePointAt(0) ?? 0x20] : []))).join("").toUpperCase();
}

/** The pickets of a fence: the product's mark. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden focusable="false" fill="currentColor">
      <path d="M3 21V8l2.5-3.6L8 8v13zm6.5 0V8L12 4.4 14.5 8v13zm6.5 0V8l2.5-3.6L21 8v13z" />
      <path d="M1 10.5h22v2H1zm0 5.5h22v2H1z" opacity=".55" />
    </svg>
  );
}

/** The blue bar on top: product, search, help, account. */
export function TopBar({ me }: { me: Me }) {
  const s = useStyles();
  const { theme, density } = usePrefs();
  const [help, setHelp] = useState(false);
  const who = me.display_name || me.username;
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    const out = await signOut().catch(() => undefined); // signed out or not, this page forgets
    client.clear();
    forgetHunts();
    client.setQueryData(session.queryKey, null);
    if (out?.address) window.location.assign(out.address);
    else await navigate({ to: "/login" });
  };
  return (
    <header className={s.bar} data-top>
      <Anchor to="/devices" className={s.name}>
        <Mark />
        Picket
      </Anchor>
      <GlobalSearch />
      <div className={s.right}>
        <Button className={s.tool} appearance="transparent" icon={<QuestionCircleRegular />} aria-label="Help" title="Help" onClick={() => setHelp(!help)} />
        <Menu
          label="Account"
          align="end"
          head={
            <>
              <div><strong>{who}</strong></div>
              <div className={s.role}>{me.role}</div>
            </>
          }
          entries={[
            ...themes.map(([key, text]) => ({ kind: "choice" as const, key, text, checked: theme === key, onSelect: () => setPrefs({ theme: key }) })),
            { kind: "rule", key: "rule1" },
            ...densities.map(([key, text]) => ({ kind: "choice" as const, key, text, checked: density === key, onSelect: () => setPrefs({ density: key }) })),
            { kind: "rule", key: "rule2" },
            { kind: "action", key: "account", text: "My account", icon: <PersonSettingsRegular />, onSelect: () => void navigate({ to: "/settings/account" }) },
            { kind: "action", key: "leave", text: "Sign out", icon: <SignOutRegular />, onSelect: () => void leave() },
          ]}
          trigger={(t) => (
            <button {...t} type="button" className={s.avatar} aria-label={`Account of ${who}`} title="Account">
              <span aria-hidden>{initials(who)}</span>
            </button>
          )}
        />
      </div>
      {help && (
        <Suspense>
          <Help onClose={() => setHelp(false)} />
        </Suspense>
      )}
    </header>
  );
}
