import { makeStyles, tokens } from "@fluentui/react-components";
import type { RecommendationRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { flipBasket, useBasket } from "../../app/basket";

const useStyles = makeStyles({
  root: { display: "flex", alignItems: "center", gap: "8px", minWidth: 0 },
  box: { width: "16px", height: "16px", margin: 0, flexShrink: 0, cursor: "pointer", accentColor: tokens.colorCompoundBrandBackground },
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- engines know no other way to cut after two lines
  name: { minWidth: 0, overflow: "hidden", display: "-webkit-box", WebkitBoxOrient: "vertical", WebkitLineClamp: 2 },
});

/** A recommendation's name, and whether it is in the what-if basket. */
export function Pick({ r }: { r: RecommendationRow }) {
  const s = useStyles();
  const basket = useBasket();
  return (
    <span className={s.root}>
      <input
        type="checkbox"
        className={s.box}
        checked={basket.some((b) => b.id === r.id)}
        aria-label={`What if: ${r.name}`}
        title="Put it into the what-if basket"
        onChange={() => flipBasket({ id: r.id, name: r.name })}
      />
      <span className={s.name} title={r.name}><OpenLink id={r.id}>{r.name}</OpenLink></span>
    </span>
  );
}
