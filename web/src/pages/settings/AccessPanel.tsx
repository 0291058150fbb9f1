import { Spinner } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { setGroupAccess, userGroups } from "../../api/people";
import type { DeviceGroup } from "../../api/schema";
import { Choice } from "./Choice";
import { EditPanel } from "./EditPanel";

/** Says which user groups see a device group. */
export function AccessPanel({ group, onClose }: { group: DeviceGroup; onClose: () => void }) {
  const { data } = useQuery(userGroups);
  const [chosen, setChosen] = useState(group.user_groups);
  return (
    <EditPanel title={`Who sees ${group.name}`} good onSave={() => setGroupAccess(group.id, chosen)} onClose={onClose}>
      {!data ? <Spinner label="Reading …" /> : (
        <Choice
          label="User groups"
          hint={chosen.length === 0 ? "None is chosen: everybody who has a role sees these devices." : "Only their members and administrators see these devices, on every page, in every count, export and score."}
          options={data.map((g) => ({ key: g.id, text: g.name, ...(g.description ? { more: g.description } : {}) }))}
          chosen={chosen}
          onChange={setChosen}
        />
      )}
    </EditPanel>
  );
}
