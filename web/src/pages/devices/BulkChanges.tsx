import { Button } from "@fluentui/react-components";
import { ChevronDownRegular } from "@fluentui/react-icons";
import { useState } from "react";
import type { DeviceRow } from "../../api/schema";
import { DeviceChange } from "../../app/DeviceChange";
import { useMay } from "../../app/useMay";
import { changeWords, type Change } from "../../lib/exclusion";
import { Menu } from "../../ui/Menu";

/** What can be changed on the selected devices, each for those that it concerns. */
export function BulkChanges({ rows, onDone }: { rows: readonly DeviceRow[]; onDone: () => void }) {
  const [asking, setAsking] = useState<Change>();
  const { may, why } = useMay("alerts.investigate", "settings.security");
  const of: Record<Change, readonly DeviceRow[]> = { value: rows, "check-in": rows.filter((r) => r.managed_by === "picket"), exclude: rows.filter((r) => !r.exclusion), include: rows.filter((r) => r.exclusion) };
  const offered = (Object.keys(of) as Change[]).filter((c) => of[c].length > 0);
  return (
    <>
      {!may ? <Button appearance="subtle" disabledFocusable title={why}>More actions</Button> : (
        <Menu
          label="More actions"
          entries={offered.map((c) => ({ kind: "action", key: c, text: `${changeWords[c].name} (${of[c].length})`, onSelect: () => setAsking(c) }))}
          trigger={(t) => <Button {...t} appearance="subtle" icon={<ChevronDownRegular />} iconPosition="after">More actions</Button>}
        />
      )}
      {asking && <DeviceChange change={asking} devices={of[asking]} onClose={() => setAsking(undefined)} onDone={() => { setAsking(undefined); onDone(); }} />}
    </>
  );
}
