import { useCallback } from "react";
import { remediationDevices } from "../../api/remediation";
import type { RemediationDevice } from "../../api/schema";
import { DeviceRef } from "../../app/DeviceRef";
import { Refs, type RefColumn } from "../../app/Refs";
import { targetWord } from "../../lib/remediation";
import { Chip } from "../../ui/Chip";
import { Ago } from "../../ui/Time";

const columns = (recommendation: string): readonly RefColumn<RemediationDevice>[] => [
  { key: "name", title: "Device", sort: { key: "name", first: "asc" }, render: (r) => <DeviceRef d={r} tab="recommendations" search={{ open: recommendation }} /> },
  { key: "state", title: "State", sort: { key: "state", first: "desc" }, width: "26%", render: (r) => <Chip tone={targetWord(r.state).tone} title={targetWord(r.state).means}>{targetWord(r.state).word}</Chip> },
  { key: "seen", title: "Last seen", sort: { key: "last_seen", first: "desc" }, width: "26%", render: (r) => <Ago at={r.last_seen} /> },
];

/** The devices that the activity is for, those that are not fixed first. */
export function Targets({ id, recommendation }: { id: string; recommendation: string }) {
  const query = useCallback((p: Record<string, string>) => remediationDevices(id, p), [id]);
  return <Refs label="Targets of the activity" query={query} columns={columns(recommendation)} rowKey={(r) => r.id || r.name} what="target" empty="The activity has no targets" />;
}
