import { Button } from "@fluentui/react-components";
import { ChevronDownRegular } from "@fluentui/react-icons";
import { useState } from "react";
import type { DeviceRow } from "../../api/schema";
import { ActionPanel } from "../../app/ActionPanel";
import { useMay } from "../../app/useMay";
import { kinds, kindWords, type Kind } from "../../lib/machineActions";
import { Menu } from "../../ui/Menu";
import { BulkChanges } from "./BulkChanges";

/** Response actions on the selected devices. */
export function BulkActions({ rows, onDone }: { rows: readonly DeviceRow[]; onDone: () => void }) {
  const [asking, setAsking] = useState<Kind>();
  const remediate = useMay("remediate.security-operations");
  const investigate = useMay("alerts.investigate");
  const may: Record<Kind, boolean> = { isolate: remediate.may, release: remediate.may, scan: investigate.may, collect: investigate.may, investigate: investigate.may };
  const offered = kinds.filter((k) => may[k]);
  return (
    <>
      {offered.length === 0 ? <Button appearance="subtle" disabledFocusable title={investigate.why}>Response actions</Button> : (
        <Menu
          label="Response actions"
          entries={offered.map((kind) => ({ kind: "action", key: kind, text: kindWords[kind].many, onSelect: () => setAsking(kind) }))}
          trigger={(t) => <Button {...t} appearance="subtle" icon={<ChevronDownRegular />} iconPosition="after">Response actions</Button>}
        />
      )}
      <BulkChanges rows={rows} onDone={onDone} />
      {asking && <ActionPanel kind={asking} devices={rows} onClose={() => setAsking(undefined)} onDone={() => { setAsking(undefined); onDone(); }} />}
    </>
  );
}
