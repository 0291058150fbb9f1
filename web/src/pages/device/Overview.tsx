import { makeStyles } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { device } from "../../api/queries";
import { useOpen } from "../../app/useOpen";
import { useDeviceId } from "../../app/useDeviceId";
import { AlertsCard } from "./AlertsCard";
import { AssessmentCard } from "./AssessmentCard";
import { ClosedCard } from "./ClosedCard";
import { HealthCard } from "./HealthCard";
import { LogonCard } from "./LogonCard";
import { ScoreFlyout } from "./ScoreFlyout";
import { SupportCard, SupportNotice } from "./SupportCard";
import { GapsCard, RestartCard, StatesCard, TopWeakCard, UpdatesCard } from "./cards";
import { UsersCard } from "./UsersCard";
import { scoreFlyout } from "./scoreFlyout";

const useStyles = makeStyles({
  notice: { marginBottom: "16px", "&:empty": { display: "none" } },
  grid: { columnWidth: "360px", columnGap: "16px", "& > section": { breakInside: "avoid", marginBottom: "16px" } },
});

/** What matters most about a device, as cards. */
export function Overview() {
  const s = useStyles();
  const id = useDeviceId();
  const { open, close } = useOpen();
  const { data: d } = useQuery(device(id));
  if (!d) return null;
  return (
    <>
      <div className={s.notice}><SupportNotice d={d} /></div>
      <div className={s.grid}>
        <AssessmentCard d={d} />
        <AlertsCard d={d} />
        <TopWeakCard d={d} />
        <UpdatesCard d={d} />
        <RestartCard d={d} />
        <SupportCard d={d} />
        <StatesCard d={d} />
        <GapsCard d={d} />
        {!d.sbom && d.source !== "osquery" && <HealthCard device={d.id} />}
        {!d.sbom && d.source !== "osquery" && <LogonCard device={d.id} />}
        <UsersCard d={d} />
        <ClosedCard id={d.id} />
      </div>
      {open === scoreFlyout && <ScoreFlyout id={d.id} name={d.name} onClose={close} />}
    </>
  );
}
