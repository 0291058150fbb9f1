import { OpenRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { deviceVuln } from "../../api/queries";
import type { DeviceVulnRow } from "../../api/schema";
import { AssociatedAlerts } from "../../app/AssociatedAlerts";
import { ButtonLink } from "../../app/ButtonLink";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { ReportButton } from "../../app/ReportButton";
import { WeaknessDetails } from "../../app/WeaknessDetails";
import { score } from "../../lib/format";
import { Severity } from "../../ui/Severity";
import { State } from "../../ui/State";
import { Affected } from "./Affected";
import { Logic } from "./Logic";

/** A weakness on one device: what it is, and why Picket says so. */
export function VulnFlyout({ device, weakness, frame, row }: { device: string; weakness: string; frame: FlyoutFrame; row: DeviceVulnRow | undefined }) {
  const q = useQuery(deviceVuln(device, weakness));
  const d = q.data;
  const head = d ?? row;
  return (
    <Flyout
      frame={frame}
      state={q}
      title={weakness}
      subtitle={
        head && (
          <>
            <Severity level={head.severity} />
            <span>{`CVSS ${score(head.cvss)}${head.cvss_version ? ` (${head.cvss_version})` : ""}`}</span>
            <State value={head.state} exposed={head.exposed} />
            {head.title && <div style={{ flexBasis: "100%" }}>{head.title}</div>}
          </>
        )
      }
      actions={<><ButtonLink to="/weaknesses" search={{ open: weakness, q: weakness, exposed: "any" }} icon={<OpenRegular />}>On all devices</ButtonLink><ReportButton kind="weakness" subject={weakness} name={weakness} /></>}
      tabs={[
        { key: "details", title: "Vulnerability details", render: () => d && <WeaknessDetails w={d.weakness} threats={d.threats}><Affected d={d} device={device} />{d.exposed && <AssociatedAlerts device={device} of={{ weakness }} />}</WeaknessDetails> },
        { key: "logic", title: "Detection logic", render: () => d && <Logic logic={d.logic} device={device} /> },
      ]}
    />
  );
}
