import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { deviceRecommendations, firstPage } from "../../api/queries";
import type { Device } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { levelOf } from "../../lib/exposure";
import { number, sentence } from "../../lib/format";
import type { RawSearch } from "../../lib/search";
import { countList, severityWord } from "../../lib/words";
import { Card } from "../../ui/Card";
import { Donut } from "../../ui/Donut";
import { ExposureLevel, ScoreNumber, ScoreScale } from "../../ui/Exposure";
import { Severity, severityFill } from "../../ui/Severity";
import { scoreFlyout } from "./scoreFlyout";

const useStyles = makeStyles({
  exposure: { display: "flex", alignItems: "center", flexWrap: "wrap", gap: "8px 28px", marginBottom: "18px", paddingBottom: "14px", borderBottom: `1px solid ${tokens.colorNeutralStroke3}` },
  score: { fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, marginRight: "10px" },
  scale: { flexGrow: 1, minWidth: "120px" },
  why: { color: tokens.colorNeutralForeground2, flexBasis: "100%" },
  numbers: { display: "flex", gap: "12px 28px", flexWrap: "wrap", marginTop: "18px", paddingTop: "14px", borderTop: `1px solid ${tokens.colorNeutralStroke3}` },
  big: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, fontWeight: tokens.fontWeightSemibold, display: "block" },
  label: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
});

/** The exposure of a device, its weaknesses by severity, and the numbers that decide what to do. */
export function AssessmentCard({ d }: { d: Device }) {
  const s = useStyles();
  const { data: todo } = useQuery(deviceRecommendations(d.id, firstPage));
  const base = `/devices/${encodeURIComponent(d.id)}`;
  const page = `${base}/vulnerabilities`;
  const scored = levelOf(d.exposure) !== "NoData";
  const numbers: [string, number, string, RawSearch][] = [
    ["Recommendations", todo?.total ?? 0, `${base}/recommendations`, {}],
    ["Vulnerabilities", d.weaknesses, page, {}],
    ["Software", d.software, `${base}/software`, {}],
    ["Fix available", d.fixable, page, { fix: "available" }],
    ["Exploitable", d.exploitable, page, { threat: "exploit" }],
    ["Known exploited", d.kev, page, { threat: "kev" }],
  ];
  return (
    <Card title="Security assessments" aside={scored && <Anchor to={base} search={{ open: scoreFlyout }}>Why this score</Anchor>}>
      <div className={s.exposure}>
        {scored && <span><span className={s.score}><ScoreNumber value={d.score} /></span><span className={s.label}>exposure score</span></span>}
        <ExposureLevel level={d.exposure} reason={d.no_data} />
        {d.no_data !== "" && <span className={s.why}>{sentence(d.no_data)}</span>}
        {scored && <div className={s.scale}><ScoreScale value={d.score} /></div>}
      </div>
      <Donut
        unit="weakness"
        parts={countList(d.severity).map(([level, value]) => ({
          key: level,
          label: severityWord[level],
          value,
          fill: severityFill[level],
          legend: value > 0 ? <Anchor to={page} search={{ severity: level }}><Severity level={level} /></Anchor> : <Severity level={level} />,
        }))}
      />
      <div className={s.numbers}>
        {numbers.map(([label, n, to, search]) => (
          <div key={label}>
            <span className={s.big}>{n > 0 ? <Anchor to={to} search={search}>{number(n)}</Anchor> : "0"}</span>
            <span className={s.label}>{label}</span>
          </div>
        ))}
      </div>
    </Card>
  );
}
