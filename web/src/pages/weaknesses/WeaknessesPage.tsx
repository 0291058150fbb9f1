import { makeStyles, tokens } from "@fluentui/react-components";
import { ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { status, weaknesses } from "../../api/queries";
import type { WeaknessRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { ListView } from "../../app/ListView";
import { PageHead } from "../../app/PageHead";
import { number, percent, plural, score, time } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { ages, products, severities, severityWord, state, stateNames, threatFilter, threatNames, weaknessTags } from "../../lib/words";
import { FirstTag } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Severity } from "../../ui/Severity";
import { ThreatIcons } from "../../ui/Threats";
import { Day } from "../../ui/Time";
import { WeaknessFlyout } from "./WeaknessFlyout";

const spec: ListSpec = {
  filters: { severity: severities, threat: threatNames, fix: ["available", "none"], exposed: ["true", "false", "unknown"], exception: ["true", "false"], state: stateNames, age: ages.map(([v]) => v), tag: weaknessTags },
  sorts: ["id", "severity", "cvss", "epss", "age", "published", "updated", "exposed", "exposed_after"],
  sort: ["-exposed", "-severity"],
  defaults: { exposed: ["true"] },
};

const groups: readonly FilterGroup[] = [
  { name: "severity", title: "Severity", options: severities.map((v) => ({ value: v, label: severityWord[v] })) },
  threatFilter,
  { name: "fix", title: "Fix", options: [{ value: "available", label: "Fix available on some device" }, { value: "none", label: "No fix" }] },
  { name: "exposed", title: "Exposed devices", options: [{ value: "true", label: "At least one" }, { value: "false", label: "None" }, { value: "unknown", label: "Not available" }] },
  { name: "exception", title: "Exceptions", options: [{ value: "true", label: "An exception is about it" }, { value: "false", label: "None" }] },
  { name: "age", title: "Age", options: ages.map(([value, label]) => ({ value, label })) },
  { name: "tag", title: "Tags", options: weaknessTags.map((v) => ({ value: v, label: v })) },
  { name: "state", title: "State on some device", options: stateNames.map((v) => ({ value: v, label: state(v).word })) },
];

const useStyles = makeStyles({ quiet: { color: tokens.colorNeutralForeground3 }, hot: { fontWeight: tokens.fontWeightSemibold } });

function Related({ r }: { r: WeaknessRow }) {
  const s = useStyles();
  const names = products(r.software);
  const more = r.software_count - r.software.length;
  return <span title={names}>{names || "–"}{more > 0 && <span className={s.quiet}>{` + ${number(more)}`}</span>}</span>;
}

function Exposed({ n, unknown }: { n: number; unknown?: boolean }) {
  const s = useStyles();
  if (unknown) return <span className={s.quiet} title="The distribution does not know yet whether its package is affected.">Not available</span>;
  return <span className={n > 0 ? s.hot : s.quiet}>{number(n)}</span>;
}

const columns: readonly Column<WeaknessRow>[] = [
  { key: "id", title: "Name", width: 160, sort: { key: "id", first: "desc" }, render: (r) => <OpenLink id={r.id}>{r.id}</OpenLink> },
  { key: "severity", title: "Severity", width: 118, sort: { key: "severity", first: "desc" }, render: (r) => <Severity level={r.severity} /> },
  { key: "cvss", title: "CVSS", width: 92, align: "end", sort: { key: "cvss", first: "desc" }, render: (r) => <span title={r.cvss_version && `CVSS ${r.cvss_version}`}>{score(r.cvss)}</span> },
  { key: "software", title: "Related software", width: 150, grow: true, render: (r) => <Related r={r} /> },
  { key: "age", title: "Age", width: 108, align: "end", sort: { key: "age", first: "desc" }, render: (r) => (time(r.published) ? plural(r.age_days, "day") : "–") },
  { key: "published", title: "Published on", width: 122, sort: { key: "published", first: "desc" }, render: (r) => <Day at={r.published} /> },
  { key: "threats", title: "Threats", width: 116, render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "exposed", title: "Exposed devices", width: 112, align: "end", sort: { key: "exposed", first: "desc" }, render: (r) => <Exposed n={r.exposed} unknown={r.exposed_unknown} /> },
  { key: "tags", title: "Tags", width: 180, render: (r) => <FirstTag tags={r.exception ? [...r.tags, "Exception"] : r.tags} /> },
  { key: "exposed_after", title: "Exposed devices (after exceptions)", width: 240, align: "end", optional: true, sort: { key: "exposed_after", first: "desc" }, render: (r) => <Exposed n={r.exposed_after} /> },
  { key: "states", title: "States", width: 220, optional: true, render: (r) => r.states.map((x) => state(x).word).join(", ") || "–" },
  { key: "updated", title: "Updated on", width: 130, optional: true, sort: { key: "updated", first: "desc" }, render: (r) => <Day at={r.updated} /> },
  { key: "epss", title: "EPSS", width: 90, align: "end", optional: true, sort: { key: "epss", first: "desc" }, render: (r) => percent(r.epss) },
  { key: "affected", title: "Devices with any finding", width: 190, align: "end", optional: true, render: (r) => number(r.affected) },
  { key: "title", title: "Title", width: 320, optional: true, render: (r) => <span title={r.title}>{r.title || "–"}</span> },
];

/** The weaknesses of all devices. */
export function WeaknessesPage() {
  const { data: st } = useQuery(status);
  return (
    <PageHead title="Weaknesses" text="Every weakness that the loaded intelligence proves on a device, one row per CVE or other id.">
      <ListView
        name="weaknesses"
        label="Weaknesses"
        spec={spec}
        groups={groups}
        columns={columns}
        query={weaknesses}
        rowKey={(r) => r.id}
        searchLabel="Search id, title, software"
        exportPath="/weaknesses"
        flyout={(id, frame, row) => <WeaknessFlyout key={id} id={id} frame={frame} row={row} />}
        empty={
          st?.intelligence_empty ? (
            <Empty icon={<ShieldCheckmarkRegular />} title="No intelligence is loaded" action={<ButtonLink primary to="/settings/intelligence">Open Intelligence</ButtonLink>}>
              Nothing can be assessed before a feed is loaded.
            </Empty>
          ) : (
            <Empty icon={<ShieldCheckmarkRegular />} title="No weakness">The loaded intelligence knows no weakness of the software on your devices.</Empty>
          )
        }
      />
    </PageHead>
  );
}
