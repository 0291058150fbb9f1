import { MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { AddRegular, ArrowImportRegular, TargetRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { indicators } from "../../api/indicators";
import { session } from "../../api/queries";
import type { IndicatorRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { PageHead } from "../../app/PageHead";
import { useOpen } from "../../app/useOpen";
import type { Right } from "../../app/useMay";
import { number } from "../../lib/format";
import { indicatorActions, indicatorSeverities, indicatorTypes, prevents } from "../../lib/indicators";
import type { ListSpec } from "../../lib/search";
import { Chip } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Ago, Day } from "../../ui/Time";
import { IndicatorImport } from "./IndicatorImport";
import { IndicatorPanel } from "./IndicatorPanel";

const useStyles = makeStyles({ note: { margin: "10px 0 2px", flexShrink: 0 } });

/** What opens the writing of indicators. */
export const indicatorRights: readonly Right[] = ["remediate.security-operations", "settings.security"];

const word = <T extends Record<string, string>>(words: T, v: string): string => words[v] ?? v;
const spec: ListSpec = {
  filters: { type: Object.keys(indicatorTypes), action: Object.keys(indicatorActions), severity: indicatorSeverities, active: ["true", "false"] },
  sorts: ["value", "type", "action", "title", "severity", "created", "updated", "expires", "matched", "last_matched"],
  sort: ["-created"],
};
const groups: readonly FilterGroup[] = [
  { name: "type", title: "Type", options: Object.entries(indicatorTypes).map(([value, label]) => ({ value, label })) },
  { name: "action", title: "Action", options: Object.entries(indicatorActions).map(([value, label]) => ({ value, label })) },
  { name: "severity", title: "Severity", options: indicatorSeverities.map((value) => ({ value, label: value })) },
  { name: "active", title: "Expired", options: [{ value: "false", label: "Expired" }, { value: "true", label: "Not expired" }] },
];

function Enforcement({ r }: { r: IndicatorRow }) {
  const chip = r.enforcement === "not matched" ? "Not matched" : prevents(r.action) ? "Not enforced" : "";
  return chip === "" ? <>–</> : <Chip tone="warn" title={r.enforcement_note}>{chip}</Chip>;
}

const never = (at: string): boolean => at.startsWith("0001-");

const columns: readonly Column<IndicatorRow>[] = [
  { key: "value", title: "Value", width: 180, grow: true, sort: { key: "value", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.value}</OpenLink> },
  { key: "type", title: "Type", width: 118, wrap: true, sort: { key: "type", first: "asc" }, render: (r) => word(indicatorTypes, r.type) },
  { key: "action", title: "Action", width: 112, wrap: true, sort: { key: "action", first: "asc" }, render: (r) => word(indicatorActions, r.action) },
  { key: "enforcement", title: "On endpoints", width: 124, render: (r) => <Enforcement r={r} /> },
  { key: "title", title: "Title", width: 150, wrap: true, sort: { key: "title", first: "asc" }, render: (r) => r.title },
  { key: "severity", title: "Severity", width: 110, sort: { key: "severity", first: "desc" }, render: (r) => r.severity },
  { key: "where", title: "Device groups", width: 108, wrap: true, render: (r) => r.device_group_names.join(", ") || "All devices" },
  { key: "matched", title: "Events", width: 84, align: "end", sort: { key: "matched", first: "desc" }, render: (r) => number(r.matched) },
  { key: "last_matched", title: "Last match", width: 110, wrap: true, sort: { key: "last_matched", first: "desc" }, render: (r) => (never(r.last_matched) ? "–" : <Ago at={r.last_matched} />) },
  { key: "expires", title: "Expires", width: 124, wrap: true, sort: { key: "expires", first: "asc" }, render: (r) => (never(r.expires_at) ? "Never" : r.active ? <Day at={r.expires_at} /> : <Chip tone="quiet">Expired</Chip>) },
  { key: "created", title: "Made on", width: 124, wrap: true, optional: true, sort: { key: "created", first: "desc" }, render: (r) => <Day at={r.created_at} /> },
  { key: "source", title: "Made by", width: 130, optional: true, render: (r) => r.source_name },
  { key: "description", title: "Description", width: 240, optional: true, render: (r) => <span title={r.description}>{r.description}</span> },
];

/** Settings › Indicators: values that raise alerts where they occur. */
export function IndicatorsPage() {
  const s = useStyles();
  const { show } = useOpen();
  const { data: me } = useQuery(session);
  return (
    <PageHead title="Indicators" text="Files, addresses, domains and URLs that you want to be told of: they raise alerts wherever they occur on devices.">
      <MessageBar intent="info" layout="multiline" className={s.note}>
        <MessageBarBody>Nothing is prevented on endpoints: where an indicator asks to warn or to block, a match is detected and raises an alert, and no program is stopped and no connection cut.</MessageBarBody>
      </MessageBar>
      <ListView
        name="indicators"
        label="Indicators"
        spec={spec}
        groups={groups}
        columns={columns}
        query={indicators}
        rowKey={(r) => r.id}
        rowName={(r) => r.value}
        searchLabel="Search indicators"
        exportPath="/indicators"
        commands={
          <>
            <MayButton rights={indicatorRights} appearance="subtle" icon={<AddRegular />} onClick={() => show("new")}>New indicator</MayButton>
            <MayButton rights={indicatorRights} appearance="subtle" icon={<ArrowImportRegular />} onClick={() => show("import")}>Import</MayButton>
          </>
        }
        empty={<Empty icon={<TargetRegular />} title="No indicators yet">Make one, import a file, or let programs send them by the API. What was stored in the last 30 days is looked through, too. What they find is on the list of alerts.</Empty>}
        flyout={(id, frame, row) => (id === "import" ? <IndicatorImport key={id} onClose={frame.onClose} /> : <IndicatorPanel key={id} id={id} row={row} allDevices={me?.all_devices !== false} onClose={frame.onClose} />)}
      />
    </PageHead>
  );
}
