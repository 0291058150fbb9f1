import { makeStyles, tokens } from "@fluentui/react-components";
import type { Dashboard } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { points } from "../../lib/exposure";
import { plural, time } from "../../lib/format";
import { Card } from "../../ui/Card";
import { ExposureLevel, ScoreNumber, ScoreScale } from "../../ui/Exposure";
import { Trend } from "../../ui/Trend";
import { dots } from "../../app/EventDots";

const useStyles = makeStyles({
  root: { display: "flex", flexWrap: "wrap", gap: "20px 36px" },
  now: { width: "200px", flexShrink: 0 },
  big: { fontSize: "52px", lineHeight: "60px", fontWeight: tokens.fontWeightSemibold },
  of: { fontSize: tokens.fontSizeBase300, color: tokens.colorNeutralForeground3, fontWeight: tokens.fontWeightRegular },
  level: { fontWeight: tokens.fontWeightSemibold, marginBottom: "14px" },
  means: { margin: "10px 0 0", color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200 },
  trend: { flexGrow: 1, flexBasis: "320px", minWidth: 0 },
});

/** The score of all devices, what it means and how it went. */
export function ScoreCard({ d }: { d: Dashboard }) {
  const s = useStyles();
  const trend = d.trend.flatMap((p) => {
    const at = time(p.at);
    return at ? [{ at: at.getTime(), value: p.score, version: p.version, weights: p.weights, devices: p.devices }] : [];
  });
  return (
    <Card title="Exposure score" wide aside={d.score.devices > 0 && <Anchor to="/scores">Why this score</Anchor>}>
      <div className={s.root}>
        <div className={s.now}>
          <div role="status" aria-label={`Exposure score ${points(d.score.score)} of 100`}>
            <span className={s.big}><ScoreNumber value={d.score.score} /></span>
            <span className={s.of}> / 100</span>
          </div>
          <div className={s.level}><ExposureLevel level={d.score.level} /></div>
          <ScoreScale value={d.score.score} />
          <p className={s.means}>{`Lower is better: fewer, milder and less attacked weaknesses. Over ${plural(d.score.devices, "device")} seen within 30 days; formula ${d.score.version}.`}</p>
        </div>
        <div className={s.trend}>
          <Trend label="Exposure score over time" points={trend} say={(p) => plural(p.devices, "device")} marks={dots(d.event_days)} />
        </div>
      </div>
    </Card>
  );
}
