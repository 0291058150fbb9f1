import { makeStyles, tokens } from "@fluentui/react-components";
import { AppsListRegular, LightbulbCheckmarkRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { event, eventVulns } from "../../api/queries";
import type { EventRow, WeaknessRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { Refs, type RefColumn } from "../../app/Refs";
import { kindMeans, share } from "../../lib/events";
import { number, score } from "../../lib/format";
import { productPath } from "../../lib/product";
import { vendor } from "../../lib/words";
import { EventKind, ScoreStep } from "../../ui/EventKind";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Severity } from "../../ui/Severity";
import { ThreatIcons, ThreatList } from "../../ui/Threats";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({ text: { margin: "0 0 16px", color: tokens.colorNeutralForeground2, "&::first-letter": { textTransform: "uppercase" } } });

const columns: readonly RefColumn<WeaknessRow>[] = [
  { key: "id", title: "Name", sort: { key: "id", first: "asc" }, render: (r) => <Anchor to="/weaknesses" search={{ open: r.id, exposed: "any" }}>{r.id}</Anchor> },
  { key: "severity", title: "Severity", sort: { key: "severity", first: "desc" }, width: "20%", render: (r) => <Severity level={r.severity} /> },
  { key: "cvss", title: "CVSS", sort: { key: "cvss", first: "desc" }, width: "12%", render: (r) => score(r.cvss) },
  { key: "threats", title: "Threats", sort: { key: "threats", first: "desc" }, width: "20%", render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "exposed", title: "Exposed devices", sort: { key: "exposed", first: "desc" }, width: "20%", align: "end", render: (r) => number(r.exposed) },
];

/** One event of the timeline. */
export function EventFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: EventRow | undefined }) {
  const s = useStyles();
  const q = useQuery(event(id));
  const d = q.data;
  const head = d ?? row;
  const vulns = useCallback((p: Record<string, string>) => eventVulns(id, { ...p, sort: "-exposed,-severity" }), [id]);
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head?.title ?? id}
      subtitle={head && <><EventKind kind={head.kind} /><Moment at={head.at} /></>}
      actions={
        head && (
          <>
            {head.recommendation_id && <ButtonLink to="/recommendations" search={{ open: head.recommendation_id }} icon={<LightbulbCheckmarkRegular aria-hidden />}>Go to related security recommendation</ButtonLink>}
            {head.product_id && <ButtonLink to={productPath(head.product_id)} icon={<AppsListRegular aria-hidden />}>Open software page</ButtonLink>}
          </>
        )
      }
      tabs={[
        {
          key: "details",
          title: "Details",
          render: () =>
            d && (
              <>
                <p className={s.text}>{d.detail || kindMeans(d.kind)}</p>
                <Section title="Event">
                  <Facts>
                    <Fact name="Related component">{d.component}</Fact>
                    <Fact name="Vendor">{d.vendor && vendor(d.vendor)}</Fact>
                    <Fact name="Originally impacted devices">{`${number(d.impacted)} of ${number(d.counted)} (${share(d.share)})`}</Fact>
                    <Fact name="Currently impacted devices">{`${number(d.current)} of ${number(d.current_of)} (${share(d.current_share)})`}</Fact>
                    <Fact name="Score trend" wide><ScoreStep step={d.score} words /></Fact>
                    {d.weaknesses > 0 && <Fact name="Vulnerabilities">{number(d.weaknesses)}</Fact>}
                    {d.weaknesses > 0 && <Fact name="Highest severity"><Severity level={d.severity} /></Fact>}
                    {d.link && <Fact name="More"><Anchor to={d.link}>Open what it is about</Anchor></Fact>}
                  </Facts>
                </Section>
                {d.weaknesses > 0 && <Section title="Threats"><ThreatList facts={d.threats} /></Section>}
              </>
            ),
        },
        ...(head && head.weaknesses > 0
          ? [{
              key: "vulnerabilities",
              title: `Vulnerabilities (${number(head.weaknesses)})`,
              render: () => <Refs label="Vulnerabilities of this event on devices" query={vulns} columns={columns} rowKey={(r) => r.id} what="vulnerability on devices" many="vulnerabilities on devices" empty="No device has any of these vulnerabilities now" />,
            }]
          : []),
      ]}
    />
  );
}

