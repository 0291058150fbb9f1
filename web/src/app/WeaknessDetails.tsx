import { makeStyles, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import type { Threats, Weakness } from "../api/schema";
import { date, percent } from "../lib/format";
import { severityFrom, source } from "../lib/words";
import { Chip } from "../ui/Chip";
import { CopyButton, Mono } from "../ui/Copy";
import { Fact, Facts, Section } from "../ui/Facts";
import { Severity } from "../ui/Severity";
import { ThreatList } from "../ui/Threats";
import { Day } from "../ui/Time";
import { Outside } from "./Anchor";

const useStyles = makeStyles({
  text: { margin: 0, whiteSpace: "pre-line", overflowWrap: "anywhere", lineHeight: tokens.lineHeightBase400 },
  refs: { margin: 0, padding: 0, listStyleType: "none", display: "flex", flexDirection: "column", gap: "6px", overflowWrap: "anywhere" },
  chips: { display: "inline-flex", gap: "4px", flexWrap: "wrap", marginLeft: "8px" },
  scores: { display: "flex", flexDirection: "column", gap: "4px" },
});

/** The description of a weakness, what `children` add, and everything that the feeds say of it. */
export function WeaknessDetails({ w, threats, children }: { w: Weakness; threats: Threats; children?: ReactNode }) {
  const s = useStyles();
  return (
    <>
      <Section title="Description">
        {w.rejected && <Chip tone="warn">Rejected or withdrawn</Chip>}
        <p className={s.text}>{w.description || w.title || "The loaded feeds have no description of this weakness."}</p>
      </Section>
      {children}
      <Section title="Vulnerability details">
        <Facts>
          <Fact name="Severity"><Severity level={w.severity} /></Fact>
          <Fact name="Severity from">{severityFrom(w.severity_from)}</Fact>
          <Fact name="Published"><Day at={w.published} /></Fact>
          <Fact name="Updated"><Day at={w.modified} /></Fact>
          <Fact name="EPSS">{w.epss > 0 && `${percent(w.epss)}${w.epss_percentile > 0 ? `, percentile ${percent(w.epss_percentile)}` : ""}`}</Fact>
          <Fact name="EPSS date">{w.epss > 0 && w.epss_date && date(w.epss_date)}</Fact>
          <Fact name="CWE">{(w.cwes ?? []).join(", ")}</Fact>
          <Fact name="Also known as">{w.aliases.filter((a) => a !== w.id).join(", ")}</Fact>
          <Fact name="Sources">{w.sources.map(source).join(", ")}</Fact>
          <Fact name="CVSS" wide>
            {w.scores.length > 0 && (
              <div className={s.scores}>
                {w.scores.map((x) => (
                  <div key={`${x.version} ${x.source} ${x.vector}`}>
                    <div><strong>{x.base.toFixed(1)}</strong>{` · CVSS ${x.version} · ${source(x.source)}`}</div>
                    <Mono>{x.vector}</Mono> <CopyButton text={x.vector} what="vector" />
                  </div>
                ))}
              </div>
            )}
          </Fact>
        </Facts>
      </Section>
      <Section title="Threat insights">
        <ThreatList facts={threats} />
        {(w.exploit_types ?? []).length > 0 && <div style={{ marginTop: 12 }}><Facts><Fact name="Kind of exploit" wide>{(w.exploit_types ?? []).join(", ")}</Fact></Facts></div>}
        {w.kev && (
          <div style={{ marginTop: 12 }}>
            <Facts>
              <Fact name="Added to KEV">{date(w.kev.added)}</Fact>
              <Fact name="Due date">{w.kev.due && date(w.kev.due)}</Fact>
              <Fact name="Required action" wide>{w.kev.action}</Fact>
            </Facts>
          </div>
        )}
      </Section>
      {(w.references ?? []).length > 0 && (
        <Section title="References">
          <ul className={s.refs}>
            {(w.references ?? []).slice(0, 20).map((r) => (
              <li key={r.url}>
                <Outside href={r.url}>{r.url}</Outside>
                {(r.tags ?? []).length > 0 && <span className={s.chips}>{(r.tags ?? []).map((t) => <Chip key={t} tone="quiet">{t}</Chip>)}</span>}
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}
