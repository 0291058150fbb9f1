import { makeStyles, tokens } from "@fluentui/react-components";
import type { Dashboard } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { categoryWord, full } from "../../lib/exposure";
import { number, plural, tenth, time } from "../../lib/format";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { MiniTrend } from "../../ui/MiniTrend";
import { Trend } from "../../ui/Trend";
import { dots } from "../../app/EventDots";

const useStyles = makeStyles({
  big: { fontSize: tokens.fontSizeHero900, lineHeight: tokens.lineHeightHero900, fontWeight: tokens.fontWeightSemibold },
  of: { color: tokens.colorNeutralForeground3 },
  list: { listStyleType: "none", margin: "12px 0 0", padding: 0, display: "flex", flexDirection: "column", gap: "10px" },
  row: { display: "grid", gridTemplateColumns: "minmax(168px, 1fr) 44px 84px", alignItems: "center", gap: "10px" },
  lead: { display: "grid", gridTemplateColumns: "118px minmax(40px, 1fr)", alignItems: "center", gap: "10px" },
  trend: { marginTop: "10px" },
  bar: { height: "10px", borderRadius: "5px", overflow: "hidden", backgroundColor: tokens.colorNeutralBackground6 },
  fill: { height: "100%", forcedColorAdjust: "none", backgroundColor: tokens.colorCompoundBrandBackground },
  got: { textAlign: "end", fontVariantNumeric: "tabular-nums", fontSize: tokens.fontSizeBase200 },
  means: { margin: "12px 0 0", color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200 },
});

/** How well devices are configured, by category; each leads to what would raise it. */
export function SecureCard({ d }: { d: Dashboard }) {
  const s = useStyles();
  const v = d.secure;
  const trend = d.secure_trend.flatMap((p) => {
    const at = time(p.at);
    return at ? [{ at: at.getTime(), value: p.per_cent, version: p.version, devices: p.devices }] : [];
  });
  const history = (category: string): number[] => d.secure_trend.flatMap((p) => p.categories.filter((c) => c.category === category).map((c) => c.per_cent));
  return (
    <Card title="Secure score for devices" aside={v.max > 0 && <Anchor to="/scores" search={{ tab: "checks" }}>Why this score</Anchor>}>
      {v.max > 0 ? (
        <>
          <div role="status" aria-label={`Secure score ${v.per_cent.toFixed(1)} per cent`} title={`${full(v.got)} of ${full(v.max)} points`}>
            <span className={s.big}>{`${v.per_cent.toFixed(1)} %`}</span>
            <span className={s.of}>{` ${tenth(v.got)} of ${number(v.max)} points`}</span>
          </div>
          {trend.length > 0 && <div className={s.trend}><Trend label="Secure score over time" points={trend} say={(p) => plural(p.devices, "device")} unit=" %" width={360} height={150} marks={dots(d.check_days, "NewConfigurationAssessment")} /></div>}
          <ul className={s.list}>
            {v.categories.map((c) => (
              <li key={c.category} className={s.row}>
                <Anchor to="/recommendations" search={{ category: c.category, type: "ConfigurationChange" }} className={s.lead}>
                  {categoryWord(c.category)}
                  <div className={s.bar} aria-hidden><div className={s.fill} style={{ width: `${c.per_cent}%` }} /></div>
                </Anchor>
                <MiniTrend counts={history(c.category)} what={`${categoryWord(c.category)}, per cent`} good="rising" digits={1} width={40} />
                <span className={s.got}>{c.max > 0 ? <Anchor to="/scores" search={{ tab: "checks", category: c.category }} title={`${full(c.got)} of ${full(c.max)} points: what is missing`}>{`${tenth(c.got)} / ${number(c.max)}`}</Anchor> : "–"}</span>
              </li>
            ))}
          </ul>
          <p className={s.means}>Higher is better. What could not be judged raises nothing.</p>
        </>
      ) : (
        <Empty small title="Nothing to score">No device has reported its configuration yet.</Empty>
      )}
    </Card>
  );
}
