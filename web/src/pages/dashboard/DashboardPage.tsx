import { Button, MessageBar, MessageBarBody, Spinner, makeStyles } from "@fluentui/react-components";
import { DataPieRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { dashboard, status } from "../../api/queries";
import { ButtonLink } from "../../app/ButtonLink";
import { PageHead } from "../../app/PageHead";
import { Empty } from "../../ui/Empty";
import { Moment } from "../../ui/Time";
import { AlertsCard } from "./AlertsCard";
import { RemediationCard } from "./RemediationCard";
import { ScoreCard } from "./ScoreCard";
import { SecureCard } from "./SecureCard";
import { TopEventsCard } from "./TopEventsCard";
import { DevicesCard, DistributionCard, RecommendationsCard, SoftwareCard, WeaknessesCard } from "./cards";

const useStyles = makeStyles({
  grid: { display: "grid", gap: "16px", gridTemplateColumns: "minmax(0, 2fr) minmax(0, 1fr)", alignItems: "start", marginTop: "16px", "@media (max-width: 1180px)": { gridTemplateColumns: "minmax(0, 1fr)" } },
  stack: { display: "flex", flexDirection: "column", gap: "16px", minWidth: 0 },
  foot: { marginTop: "14px", fontSize: "12px", opacity: 0.8 },
  bar: { marginTop: "12px" },
});

/** The vulnerability management dashboard: how exposed the devices are, and what to do first. */
export function DashboardPage() {
  const s = useStyles();
  const { data: d, error, refetch } = useQuery(dashboard);
  const { data: st } = useQuery(status);
  let body = <Spinner style={{ padding: 48 }} label="Reading the dashboard …" />;
  if (st?.devices === 0) {
    body = (
      <Empty icon={<DataPieRegular />} title="No device is enrolled yet" action={<ButtonLink primary to="/settings/onboarding">Onboard a device</ButtonLink>}>
        The exposure score shows as soon as a device has delivered its inventory.
      </Empty>
    );
  } else if (d) {
    body = (
      <>
        {error && <MessageBar intent="warning" className={s.bar}><MessageBarBody>{`These numbers may be old: ${explain(error)}`}</MessageBarBody></MessageBar>}
        <div className={s.grid}>
          <div className={s.stack}>
            <ScoreCard d={d} />
            <RecommendationsCard d={d} />
            <SoftwareCard d={d} />
            <RemediationCard d={d} />
            <TopEventsCard d={d} />
          </div>
          <div className={s.stack}>
            <DistributionCard d={d} />
            <SecureCard d={d} />
            <AlertsCard />
            <DevicesCard d={d} />
            <WeaknessesCard d={d} />
          </div>
        </div>
        <div className={s.foot}>As of <Moment at={d.score.as_of} /></div>
      </>
    );
  } else if (error) {
    body = <Empty title="The dashboard could not be read" action={<Button onClick={() => void refetch()}>Try again</Button>}>{explain(error)}</Empty>;
  }
  return (
    <PageHead title="Dashboard" text="How exposed your devices are to what is known to be vulnerable on them, and what to do about it first." scroll>
      {body}
    </PageHead>
  );
}
