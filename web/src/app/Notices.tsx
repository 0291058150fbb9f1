import { MessageBar, MessageBarActions, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { status } from "../api/queries";
import type { Me, Notice, Status } from "../api/schema";
import { Anchor } from "./Anchor";

const useStyles = makeStyles({ bars: { display: "flex", flexDirection: "column", flexShrink: 0 }, bar: { borderRadius: 0, borderLeftStyle: "none", borderRightStyle: "none", borderTopStyle: "none" } });

/** What the operator should know, the server's own words first; nothing is said twice. */
export function noticesOf(st: Status | undefined, me: Me, live: boolean | undefined): Notice[] {
  const out: Notice[] = [...(st?.notices ?? [])];
  if (st?.lockdown) out.unshift({ level: "error", text: `Lockdown, put on by ${st.lockdown.by ?? "somebody"}: ${st.lockdown.reason ?? ""} Nothing can be done on devices until two administrators lift it.`, link: me.administrator ? "/settings/approvals" : "" });
  if ((st?.approvals ?? 0) > 0) out.push({ level: "info", text: st?.approvals === 1 ? "A request waits for your approval." : `${String(st?.approvals)} requests wait for your approval.`, link: "/approvals" });
  const said = (word: RegExp) => out.some((n) => word.test(n.text));
  if (st?.intelligence_empty && !said(/intelligence/i)) out.push({ level: "warning", text: "No intelligence is loaded yet: nothing can be assessed. Import or synchronise feeds first.", link: "/settings/intelligence" });
  if (st?.demo_intelligence && !said(/demo/i)) out.push({ level: "info", text: "Picket runs on demo intelligence: a few hundred well-known CVEs, not the world. Synchronise the feeds for real results.", link: "/settings/intelligence" });
  if (me.needs_password && !said(/password/i)) out.push({ level: "info", text: "You signed in by a one-time link. Set a password so that you can come back.", link: "/settings/account" });
  if (me.needs_factor) out.push({ level: "warning", text: "A second factor is required. Until you set one up, only your own account is open to you.", link: "/settings/account#second" });
  if (live === false) out.push({ level: "warning", text: "The live connection to the server is interrupted. What you see may be old; the console tries to connect again.", link: "" });
  return out;
}

const linkWords: Record<string, string> = { "/settings/intelligence": "Open Intelligence", "/settings/account": "Set a password", "/settings/onboarding": "Open Onboarding", "/settings/approvals": "Open Lockdown", "/approvals": "Open Approvals" };

/** The bar of notices above every page. */
export function Notices({ me, live }: { me: Me; live: boolean | undefined }) {
  const s = useStyles();
  const { data } = useQuery(status);
  const list = noticesOf(data, me, live);
  if (list.length === 0) return null;
  return (
    <div className={s.bars} role="region" aria-label="Notices">
      {list.map((n) => (
        <MessageBar key={n.text} intent={n.level === "error" || n.level === "warning" ? n.level : "info"} className={s.bar}>
          <MessageBarBody>{n.text}</MessageBarBody>
          {n.link.startsWith("/") && (
            <MessageBarActions>
              <Anchor to={n.link}>{linkWords[n.link] ?? "Show"}</Anchor>
            </MessageBarActions>
          )}
        </MessageBar>
      ))}
    </div>
  );
}
