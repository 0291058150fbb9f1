import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { exposureScore } from "../../api/scores";
import { plural } from "../../lib/format";
import { Mono } from "../../ui/Copy";
import { ExposureLevel, ScoreNumber } from "../../ui/Exposure";

const useStyles = makeStyles({
  root: { display: "flex", gap: "4px 20px", flexWrap: "wrap", alignItems: "baseline", margin: "4px 0", color: tokens.colorNeutralForeground2, flexShrink: 0, minHeight: "20px" },
  score: { color: tokens.colorNeutralForeground1, fontWeight: tokens.fontWeightSemibold },
});

/** The exposure score that the rows below add up to, exactly. */
export function Summary() {
  const s = useStyles();
  const { data: d } = useQuery(exposureScore);
  return (
    <div className={s.root} role="status" aria-label="Exposure score">
      {d && (
        <>
          <span className={s.score}>Exposure score <ScoreNumber value={d.score} /></span>
          <ExposureLevel level={d.level} />
          <span>{plural(d.devices, "device")}</span>
          <span>{`Weights: ${d.weights}`}</span>
          <span title="The exact score: the numerators of the rows add up to the upper number."><Mono>{`${d.num} / (${d.den} · 10¹⁵)`}</Mono></span>
        </>
      )}
    </div>
  );
}
