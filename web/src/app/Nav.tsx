import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import {
  AlertFilled, AlertRegular, AppsListFilled, AppsListRegular, BrainCircuitFilled, BrainCircuitRegular, DataPieFilled, DataPieRegular, DatabaseFilled, DatabaseRegular, DesktopFilled, DesktopRegular, FlagFilled, FlagRegular, GroupListFilled, GroupListRegular, KeyFilled, KeyRegular, LaptopSettingsFilled, LaptopSettingsRegular,
  LightbulbCheckmarkFilled, LightbulbCheckmarkRegular, NavigationRegular, PeopleFilled, PeopleRegular, PersonSettingsFilled, PersonSettingsRegular, ShieldErrorFilled, ShieldErrorRegular, TagMultipleFilled, TagMultipleRegular, TimelineFilled, TimelineRegular, WrenchFilled, WrenchRegular,
} from "@fluentui/react-icons";
import { ClipboardTaskFilled, ClipboardTaskRegular, ClipboardTextLtrFilled, ClipboardTextLtrRegular, LockShieldFilled, LockShieldRegular, PlugConnectedFilled, PlugConnectedRegular, SearchSquareFilled, SearchSquareRegular, SendFilled, SendRegular, TicketDiagonalFilled, TicketDiagonalRegular } from "@fluentui/react-icons";
import { useLocation } from "@tanstack/react-router";
import type { Me } from "../api/schema";
import { Hidden } from "../ui/Hidden";
import { Anchor } from "./Anchor";
import { setPrefs, usePrefs } from "./prefs";

const groups = [
  { title: "Investigation", items: [{ to: "/alerts", text: "Alerts", Icon: AlertRegular, On: AlertFilled }, { to: "/hunting", text: "Hunting", Icon: SearchSquareRegular, On: SearchSquareFilled }] },
  { title: "Assets", items: [{ to: "/devices", text: "Devices", Icon: DesktopRegular, On: DesktopFilled }, { to: "/actions", text: "Action center", Icon: WrenchRegular, On: WrenchFilled }, { to: "/approvals", text: "Approvals", Icon: LockShieldRegular, On: LockShieldFilled }] },
  {
    title: "Vulnerabilities",
    items: [
      { to: "/dashboard", text: "Dashboard", Icon: DataPieRegular, On: DataPieFilled },
      { to: "/recommendations", text: "Recommendations", Icon: LightbulbCheckmarkRegular, On: LightbulbCheckmarkFilled },
      { to: "/remediation", text: "Remediation", Icon: ClipboardTaskRegular, On: ClipboardTaskFilled },
      { to: "/software", text: "Software inventory", Icon: AppsListRegular, On: AppsListFilled },
      { to: "/weaknesses", text: "Weaknesses", Icon: ShieldErrorRegular, On: ShieldErrorFilled },
      { to: "/events", text: "Event timeline", Icon: TimelineRegular, On: TimelineFilled },
    ],
  },
  {
    title: "Settings",
    items: [
      { to: "/settings/device-groups", text: "Device groups", Icon: GroupListRegular, On: GroupListFilled },
      { to: "/settings/device-weights", text: "Device weights", Icon: DataPieRegular, On: DataPieFilled },
      { to: "/settings/tag-rules", text: "Tag rules", Icon: TagMultipleRegular, On: TagMultipleFilled },
      { to: "/settings/indicators", text: "Indicators", Icon: AlertRegular, On: AlertFilled },
      { to: "/settings/intelligence", text: "Intelligence", Icon: BrainCircuitRegular, On: BrainCircuitFilled },
      { to: "/settings/onboarding", text: "Onboarding", Icon: LaptopSettingsRegular, On: LaptopSettingsFilled },
      { to: "/settings/applications", text: "API applications", Icon: PlugConnectedRegular, On: PlugConnectedFilled },
      { to: "/settings/ticketing", text: "Ticketing", Icon: TicketDiagonalRegular, On: TicketDiagonalFilled },
      { to: "/settings/retention", text: "Data retention", Icon: DatabaseRegular, On: DatabaseFilled },
      { to: "/settings/forwarding", text: "Event forwarding", Icon: SendRegular, On: SendFilled },
      { to: "/settings/inaccuracies", text: "Inaccuracies", Icon: FlagRegular, On: FlagFilled },
      { to: "/settings/sign-in", text: "Sign-in", Icon: KeyRegular, On: KeyFilled },
      { to: "/settings/audit", text: "Audit log", Icon: ClipboardTextLtrRegular, On: ClipboardTextLtrFilled },
      { to: "/settings/permissions", text: "Permissions", Icon: PeopleRegular, On: PeopleFilled },
      { to: "/settings/approvals", text: "Approvals and lockdown", Icon: LockShieldRegular, On: LockShieldFilled },
      { to: "/settings/account", text: "My account", Icon: PersonSettingsRegular, On: PersonSettingsFilled },
    ],
  },
];

// What the right of security settings opens, some of it only to who sees every
// device. All other settings but one's own account are the administrators'.
const security: Record<string, "all" | "some"> = { onboarding: "some", "tag-rules": "all", "device-weights": "all", inaccuracies: "all", indicators: "some" };

/** Whether a page of the settings opens to somebody; other pages do to everybody. */
export function opensTo(me: Pick<Me, "administrator" | "permissions" | "all_devices">, to: string): boolean {
  const page = to.replace("/settings/", "");
  if (me.administrator || (page === "indicators" && me.permissions.includes("remediate.security-operations"))) return true;
  const need = security[page];
  if (need) return me.permissions.includes("settings.security") && (need === "some" || me.all_devices);
  return page === to || page === "account";
}

const useStyles = makeStyles({
  nav: {
    width: "208px",
    flexShrink: 0,
    boxSizing: "border-box",
    padding: "8px 0 16px",
    overflowY: "auto",
    overflowX: "hidden",
    backgroundColor: tokens.colorNeutralBackground2,
    borderRight: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  narrow: { width: "48px" },
  fold: {
    display: "flex",
    alignItems: "center",
    justifyContent: "center",
    width: "36px",
    height: "36px",
    margin: "0 6px 4px",
    border: "none",
    borderRadius: tokens.borderRadiusMedium,
    background: "none",
    color: tokens.colorNeutralForeground2,
    fontSize: "20px",
    cursor: "pointer",
    "&:hover": { backgroundColor: "var(--colorSurfaceHover)" },
    "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  title: { margin: "12px 0 4px", padding: "0 18px", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground3 },
  rule: { margin: "8px 12px", borderTop: `1px solid ${tokens.colorNeutralStroke2}` },
  list: { listStyleType: "none", margin: 0, padding: "0 6px" },
  item: {
    display: "flex",
    alignItems: "center",
    gap: "12px",
    height: "36px",
    padding: "0 8px",
    marginBottom: "2px",
    position: "relative",
    borderRadius: tokens.borderRadiusMedium,
    color: tokens.colorNeutralForeground1,
    whiteSpace: "nowrap",
    "&:hover": { backgroundColor: "var(--colorSurfaceHover)", color: tokens.colorNeutralForeground1, textDecorationLine: "none" },
  },
  on: {
    fontWeight: tokens.fontWeightSemibold,
    backgroundColor: tokens.colorNeutralBackground1Selected,
    color: tokens.colorNeutralForeground1Selected,
    "&:hover": { backgroundColor: tokens.colorNeutralBackground1Selected, color: tokens.colorNeutralForeground1Selected },
    "&::before": { content: '""', position: "absolute", left: 0, top: "9px", bottom: "9px", width: "3px", borderRadius: "2px", forcedColorAdjust: "none", backgroundColor: tokens.colorCompoundBrandBackground },
  },
  icon: { fontSize: "20px", display: "flex", flexShrink: 0 },
  onIcon: { color: tokens.colorNeutralForeground2BrandSelected },
});

/** The navigation at the left, in groups; folded it shows icons alone. */
export function Nav({ me }: { me: Me }) {
  const s = useStyles();
  const { navCollapsed: narrow } = usePrefs();
  const path = useLocation({ select: (l) => l.pathname });
  return (
    <nav className={mergeClasses(s.nav, narrow && s.narrow)} aria-label="Main">
      <button type="button" className={s.fold} aria-expanded={!narrow} aria-label="Navigation with words" title={narrow ? "Show words" : "Icons only"} onClick={() => setPrefs({ navCollapsed: !narrow })}>
        <NavigationRegular aria-hidden />
      </button>
      {groups.map((g, i) => (
        <div key={g.title}>
          {narrow ? i > 0 && <div className={s.rule} /> : <h2 className={s.title}>{g.title}</h2>}
          <ul className={s.list} aria-label={g.title}>
            {g.items.filter(({ to }) => opensTo(me, to)).map(({ to, text, Icon, On }) => {
              const on = path === to || path.startsWith(`${to}/`);
              return (
                <li key={to}>
                  <Anchor to={to} className={mergeClasses(s.item, on && s.on)} title={narrow ? text : undefined}>
                    <span className={mergeClasses(s.icon, on && s.onIcon)} aria-hidden>{on ? <On /> : <Icon />}</span>
                    {narrow ? <Hidden>{text}</Hidden> : text}
                  </Anchor>
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </nav>
  );
}
