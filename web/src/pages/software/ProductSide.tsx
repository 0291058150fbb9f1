import { makeStyles, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import type { Software } from "../../api/schema";
import { AssociatedAlerts } from "../../app/AssociatedAlerts";
import { EolFact } from "../../app/EolFact";
import { setPrefs, usePrefs } from "../../app/prefs";
import { number } from "../../lib/format";
import { toggle } from "../../lib/search";
import { vendor } from "../../lib/words";
import { CopyButton, Mono } from "../../ui/Copy";
import { Impact } from "../../ui/Exposure";
import { Fact, Facts } from "../../ui/Facts";
import { Fold } from "../../ui/Fold";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatList } from "../../ui/Threats";

const useStyles = makeStyles({
  side: { width: "272px", flexShrink: 0, overflowY: "auto", borderRight: `1px solid ${tokens.colorNeutralStroke2}`, paddingBottom: "24px" },
});

const code = (text: string, what: string): ReactNode => text && <><Mono>{text}</Mono> <CopyButton text={text} what={what} /></>;

/** The facts of a product, in sections that fold; which ones are folded is remembered. */
export function ProductSide({ d }: { d: Software }) {
  const s = useStyles();
  const { folded } = usePrefs();
  const fold = (key: string, title: string, body: ReactNode) => (
    <Fold title={title} open={!folded.includes(key)} onToggle={() => setPrefs({ folded: toggle(folded, key) })}>
      {body}
    </Fold>
  );
  return (
    <aside className={s.side} aria-label="Software facts" tabIndex={0}>
      {fold(
        "product",
        "Software details",
        <Facts stack>
          <Fact name="Vendor">{vendor(d.vendor)}</Fact>
          <Fact name="Ecosystem">{d.ecosystem}</Fact>
          <Fact name="Versions">{number(d.versions)}</Fact>
          <Fact name="Product code">{code(d.product_code, "product code")}</Fact>
          <Fact name="Product id">{code(d.id, "product id")}</Fact>
        </Facts>,
      )}
      {fold(
        "prevalence",
        "Prevalence and exposure",
        <Facts stack>
          <Fact name="Installed devices">{number(d.installed)}</Fact>
          <Fact name="Exposed devices">{d.not_assessed && d.exposed === 0 ? "–" : number(d.exposed)}</Fact>
          <Fact name="Impact on the exposure score"><Impact value={d.impact} /></Fact>
          <Fact name="Weaknesses">{(d.weaknesses > 0 || !d.not_assessed) && <SeverityBar total={d.weaknesses} counts={d.severity} />}</Fact>
          <Fact name="Misconfigurations">{d.checks.length > 0 ? <SeverityBar total={d.checks.length} counts={d.misconfigured} /> : "0"}</Fact>
          <Fact name="Not assessed">{d.not_assessed}</Fact>
        </Facts>,
      )}
      {fold("threats", "Threat insights", <><ThreatList facts={d.threats} /><AssociatedAlerts of={{ software: d.id }} /></>)}
      {d.eol.length > 0 && fold("support", "End of support", <Facts stack><EolFact eol={d.eol} /></Facts>)}
    </aside>
  );
}
