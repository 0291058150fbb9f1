import { makeStyles, tokens } from "@fluentui/react-components";
import type { DetectionLogic } from "../../api/schema";
import { Anchor, Outside } from "../../app/Anchor";
import { role, section, source, state } from "../../lib/words";
import { Chip } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import { Fact, Facts } from "../../ui/Facts";
import { State } from "../../ui/State";
import { Day, Moment } from "../../ui/Time";

const useStyles = makeStyles({
  intro: { margin: "0 0 14px", color: tokens.colorNeutralForeground2 },
  item: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, padding: "16px 18px", marginBottom: "14px" },
  head: { display: "flex", gap: "10px", alignItems: "center", flexWrap: "wrap", marginBottom: "12px" },
  name: { margin: 0, fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold },
  rule: { padding: "10px 14px", marginBottom: "14px", backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium, borderLeft: `3px solid ${tokens.colorCompoundBrandStroke}`, fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, overflowWrap: "anywhere" },
  sub: { margin: "16px 0 8px", fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground2 },
  table: { width: "100%", borderCollapse: "collapse", fontSize: tokens.fontSizeBase200 },
  cell: { textAlign: "start", padding: "5px 8px 5px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, verticalAlign: "top", overflowWrap: "anywhere" },
});

/** Why a finding is there: package record, advisory, comparison. */
export function Logic({ logic, device }: { logic: readonly DetectionLogic[]; device: string }) {
  const s = useStyles();
  return (
    <>
      <p className={s.intro}>Each component is compared with what the feed that speaks for it says. Nothing is guessed by name.</p>
      {logic.map((l, i) => (
        <section key={`${l.software.id} ${l.software.version} ${i}`} className={s.item} aria-label={`Detection logic of ${l.software.name}`}>
          <div className={s.head}>
            <h3 className={s.name}><Anchor to={`/devices/${encodeURIComponent(device)}/software`} search={{ open: l.software.id }}>{l.software.name}</Anchor></h3>
            <State value={l.state} exposed={l.exposed} />
            {!l.exposed && <Chip tone="quiet">Outside exposure</Chip>}
          </div>
          <div className={s.rule}>{l.rule}</div>
          <Facts>
            <Fact name="Compared version">{l.software.version}</Fact>
            <Fact name="Fixed version">{l.software.fixed || "none"}</Fact>
            <Fact name="Feed">{source(l.feed)}</Fact>
            <Fact name="Feed date"><Day at={l.feed_date} /></Fact>
            <Fact name="Advisory">{l.url ? <Outside href={l.url}>{l.advisory}</Outside> : l.advisory}</Fact>
            <Fact name="Announced by">{l.announced.join(", ")}</Fact>
            <Fact name="Feed's urgency">{l.urgency}</Fact>
            <Fact name="Role">{role(l.role)}</Fact>
            <Fact name="First seen"><Moment at={l.first_seen} /></Fact>
            <Fact name="State means" wide>{state(l.state).means}</Fact>
            <Fact name="Feed's remark" wide>{l.note}</Fact>
          </Facts>
          <h4 className={s.sub}>Package records</h4>
          <table className={s.table}>
            <thead>
              <tr>
                <th scope="col" className={s.cell}>Package</th>
                <th scope="col" className={s.cell}>Version</th>
                <th scope="col" className={s.cell}>Found in</th>
              </tr>
            </thead>
            <tbody>
              {l.evidence.map((e) => (
                <tr key={`${e.section} ${e.item}`}>
                  <td className={s.cell}>{e.package}{e.arch ? ` (${e.arch})` : ""}</td>
                  <td className={s.cell}>{e.version}</td>
                  <td className={s.cell}>
                    {section(e.section)}
                    {(e.paths ?? []).map((p) => <div key={p}><Mono>{p}</Mono></div>)}
                    {(e.processes ?? []).length > 0 && <div>{`used by ${(e.processes ?? []).map((p) => `${p.name} (${p.pid})`).join(", ")}`}</div>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
    </>
  );
}
