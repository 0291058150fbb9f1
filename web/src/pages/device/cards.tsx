import { makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkCircleFilled } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import type { Device } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { number, plural, score } from "../../lib/format";
import { capital, gap, products, severityWord, state } from "../../lib/words";
import { Card } from "../../ui/Card";
import { SeverityIcon, severityFill } from "../../ui/Severity";
import { ThreatIcons } from "../../ui/Threats";

const useStyles = makeStyles({
  big: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, fontWeight: tokens.fontWeightSemibold, display: "block" },
  label: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  list: { listStyleType: "none", margin: 0, padding: 0 },
  row: { display: "flex", alignItems: "center", gap: "10px", padding: "7px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, "&:last-child": { borderBottom: "none" } },
  grow: { flexGrow: 1, minWidth: 0 },
  pair: { display: "flex", gap: "10px", minWidth: 0, "& > a": { flexShrink: 0 } },
  cut: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, overflowWrap: "anywhere" },
  num: { fontVariantNumeric: "tabular-nums", fontWeight: tokens.fontWeightSemibold },
  good: { display: "flex", gap: "10px", alignItems: "center", color: tokens.colorNeutralForeground2 },
  goodIcon: { fontSize: "22px", color: tokens.colorStatusSuccessForeground1, display: "flex" },
  bar: { height: "6px", borderRadius: "3px", backgroundColor: tokens.colorNeutralBackground6, overflow: "hidden", marginTop: "4px" },
  fill: { height: "100%", borderRadius: "3px", forcedColorAdjust: "none" },
});

const to = (d: Device, tab: string): string => `/devices/${encodeURIComponent(d.id)}/${tab}`;

function Good({ children }: { children: ReactNode }) {
  const s = useStyles();
  return (
    <div className={s.good}>
      <span className={s.goodIcon} aria-hidden><CheckmarkCircleFilled /></span>
      <span>{children}</span>
    </div>
  );
}

/** The worst weaknesses that count. */
export function TopWeakCard({ d }: { d: Device }) {
  const s = useStyles();
  return (
    <Card title="Top weaknesses" foot={d.weaknesses > d.top_weaknesses.length && <Anchor to={to(d, "vulnerabilities")}>{`Show all ${number(d.weaknesses)}`}</Anchor>}>
      {d.top_weaknesses.length === 0 && <Good>No weakness that counts is known on this device.</Good>}
      <ul className={s.list}>
        {d.top_weaknesses.map((w) => (
          <li key={w.id} className={s.row}>
            <SeverityIcon level={w.severity} />
            <div className={s.grow}>
              <div className={s.pair}>
                <Anchor to={to(d, "vulnerabilities")} search={{ open: w.id }}>{w.id}</Anchor>
                <span className={s.cut} title={products(w.software)}>{products(w.software)}</span>
              </div>
              <div className={`${s.quiet} ${s.cut}`} title={w.fix_version}>{w.fix_version ? `Fixed in ${w.fix_version}` : state(w.state).word}</div>
            </div>
            <ThreatIcons facts={w.threats} bare />
            <span className={s.num} title={`${severityWord[w.severity]}, CVSS ${w.cvss_version}`}>{score(w.cvss)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What the host's own package manager would upgrade. */
export function UpdatesCard({ d }: { d: Device }) {
  const s = useStyles();
  return (
    <Card title="Pending updates" foot={d.updates > 0 && <Anchor to={to(d, "software")} search={{ update: "true" }}>Show software with updates</Anchor>}>
      {d.updates === 0 ? (
        <Good>The host&apos;s own package manager offers no upgrade.</Good>
      ) : (
        <div style={{ display: "flex", gap: 36 }}>
          <div>
            <span className={s.big}>{number(d.updates)}</span>
            <span className={s.label}>{d.updates === 1 ? "package can be upgraded" : "packages can be upgraded"}</span>
          </div>
          <div>
            <span className={s.big}>{number(d.security_updates)}</span>
            <span className={s.label}>from a security archive</span>
          </div>
        </div>
      )}
    </Card>
  );
}

/** Packages fixed on disk whose old files are still in memory. */
export function RestartCard({ d }: { d: Device }) {
  const s = useStyles();
  return (
    <Card title="Restart needed" aside={d.restart.length > 0 && <span className={s.num}>{number(d.restart.length)}</span>}>
      {d.restart.length === 0 && <Good>No process uses files that were replaced on disk.</Good>}
      <ul className={s.list}>
        {d.restart.slice(0, 6).map((r) => (
          <li key={r.package} className={s.row}>
            <div className={s.grow}>
              <div>{r.package}{r.running_version ? ` ${r.running_version} in memory` : ""}</div>
              <div className={s.quiet}>{`${r.processes.slice(0, 5).map((p) => `${p.name} (${p.pid})`).join(", ")}${r.processes.length > 5 ? " …" : ""}`}</div>
            </div>
          </li>
        ))}
      </ul>
      {d.restart.length > 6 && <div className={s.quiet}>{`and ${plural(d.restart.length - 6, "package")} more`}</div>}
    </Card>
  );
}

/** All findings by state, also those that do not count. */
export function StatesCard({ d }: { d: Device }) {
  const s = useStyles();
  const list = Object.entries(d.states).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  const most = list[0]?.[1] ?? 1;
  const fills = { bad: severityFill.High, warn: severityFill.Low, quiet: severityFill.None };
  return (
    <Card title="Findings by state">
      {list.length === 0 && <Good>There are no findings.</Good>}
      <ul className={s.list}>
        {list.map(([name, n]) => {
          const w = state(name);
          return (
            <li key={name} style={{ padding: "5px 0" }} title={w.means}>
              <div style={{ display: "flex", justifyContent: "space-between" }}>
                <Anchor to={to(d, "vulnerabilities")} search={{ state: name, exposed: "any" }}>{w.word}</Anchor>
                <span className={s.num}>{number(n)}</span>
              </div>
              <div className={s.bar} aria-hidden><div className={s.fill} style={{ width: `${Math.max(1, (n / most) * 100)}%`, backgroundColor: fills[w.tone] }} /></div>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

/** What is not known of the device. */
export function GapsCard({ d }: { d: Device }) {
  const s = useStyles();
  const none = d.gap_list.length === 0 && d.not_assessed === 0 && d.dropped === 0;
  return (
    <Card title="Coverage gaps" foot={d.not_assessed > 0 && <Anchor to={to(d, "software")} search={{ assessed: "false" }}>{`Show ${plural(d.not_assessed, "product")} not assessed`}</Anchor>}>
      {none && <Good>Everything that was found could be judged.</Good>}
      <ul className={s.list}>
        {d.gap_list.slice(0, 6).map((g, i) => (
          <li key={`${g.what} ${i}`} className={s.row}>
            <div className={s.grow}>
              <div>{gap(g.what, g.section ?? "")}</div>
              <div className={s.quiet}>{capital(g.why)}</div>
            </div>
          </li>
        ))}
      </ul>
      {d.gap_list.length > 6 && <div className={s.quiet}>{`and ${number(d.gap_list.length - 6)} more`}</div>}
      {d.dropped > 0 && <div className={s.quiet}>{`The agent's spool had to drop ${plural(d.dropped, "report")}.`}</div>}
    </Card>
  );
}
