import { makeStyles, tokens } from "@fluentui/react-components";
import { BoxMultipleRegular } from "@fluentui/react-icons";
import { softwareList } from "../../api/queries";
import type { SoftwareRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { ListView } from "../../app/ListView";
import { PageHead } from "../../app/PageHead";
import { number, plural } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { codeFilter, codeNames, supportTags, threatFilter, threatNames, vendor } from "../../lib/words";
import { FirstTag } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { Impact } from "../../ui/Exposure";
import type { FilterGroup } from "../../ui/FilterPanel";
import { MiniTrend } from "../../ui/MiniTrend";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatIcons } from "../../ui/Threats";
import { SoftwareFlyout } from "./SoftwareFlyout";

const tags = [...supportTags, "Zero day"];

const spec: ListSpec = {
  filters: { vulnerable: ["true"], threat: threatNames, code: codeNames, assessed: ["true", "false"], tag: "any", vendor: "any", ecosystem: "any" },
  defaults: { code: ["available"] },
  sorts: ["name", "vendor", "weaknesses", "exposed", "installed", "impact", "severity"],
  sort: ["-exposed", "-weaknesses"],
};

const groups: readonly FilterGroup[] = [
  { name: "vulnerable", title: "Weaknesses", options: [{ value: "true", label: "Only software with weaknesses" }] },
  threatFilter,
  codeFilter,
  { name: "assessed", title: "Assessment", options: [{ value: "true", label: "Assessed" }, { value: "false", label: "Not assessed" }] },
  { name: "tag", title: "Tags", options: tags.map((v) => ({ value: v, label: v })) },
  { name: "vendor", title: "Vendor", options: ["debian", "ubuntu", "pypi", "npm", "go", "maven", "rubygems"].map((v) => ({ value: v, label: vendor(v) })), free: { hint: "red_hat" } },
  { name: "ecosystem", title: "Ecosystem", options: ["Debian", "PyPI", "npm", "Go", "Maven", "RubyGems"].map((v) => ({ value: v, label: v })), free: { hint: "Alpine" } },
];

const useStyles = makeStyles({
  quiet: { color: tokens.colorNeutralForeground3 },
  hot: { fontWeight: tokens.fontWeightSemibold },
});

function Exposed({ r }: { r: SoftwareRow }) {
  const s = useStyles();
  return (
    <span title={`${number(r.exposed)} exposed of ${plural(r.installed, "device")} where it is installed`}>
      {r.not_assessed && r.exposed === 0 ? <span className={s.quiet}>–</span> : <span className={r.exposed > 0 ? s.hot : undefined}>{number(r.exposed)}</span>}
      <span className={s.quiet}>{` / ${number(r.installed)}`}</span>
    </span>
  );
}

function Weak({ r }: { r: SoftwareRow }) {
  const s = useStyles();
  if (r.not_assessed && r.weaknesses === 0) return <span className={s.quiet} title={r.not_assessed}>Not available</span>;
  return <SeverityBar column total={r.weaknesses} counts={r.severity} />;
}

const columns: readonly Column<SoftwareRow>[] = [
  { key: "name", title: "Name", width: 200, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.name}</OpenLink> },
  { key: "vendor", title: "Vendor", width: 120, sort: { key: "vendor", first: "asc" }, render: (r) => vendor(r.vendor) },
  { key: "weaknesses", title: "Weaknesses", width: 160, sort: { key: "weaknesses", first: "desc" }, render: (r) => <Weak r={r} /> },
  { key: "threats", title: "Threats", width: 120, render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "exposed", title: "Exposed / installed devices", width: 140, align: "end", sort: { key: "exposed", first: "desc" }, render: (r) => <Exposed r={r} /> },
  { key: "trend", title: "Trend", width: 84, render: (r) => <MiniTrend counts={r.trend} what="Exposed devices" /> },
  { key: "impact", title: "Impact", width: 92, align: "end", sort: { key: "impact", first: "desc" }, render: (r) => <Impact value={r.impact} /> },
  { key: "versions", title: "Versions", width: 90, align: "end", render: (r) => number(r.versions) },
  { key: "tags", title: "Tags", width: 160, render: (r) => <FirstTag tags={r.tags} /> },
  { key: "installed", title: "Installed devices", width: 150, align: "end", optional: true, sort: { key: "installed", first: "desc" }, render: (r) => number(r.installed) },
  { key: "ecosystem", title: "Ecosystem", width: 120, optional: true, render: (r) => r.ecosystem },
  { key: "code", title: "Product code", width: 300, optional: true, render: (r) => (r.product_code ? <span title={r.product_code}><Mono>{r.product_code}</Mono></span> : "Not available") },
  { key: "id", title: "Product id", width: 240, optional: true, render: (r) => r.id },
];

/** The software of all devices. */
export function SoftwarePage() {
  return (
    <PageHead title="Software inventory" text="Every product that is installed on any device, with what is known to be wrong with it.">
      <ListView
        name="software"
        label="Software inventory"
        spec={spec}
        groups={groups}
        columns={columns}
        query={softwareList}
        rowKey={(r) => r.id}
        searchLabel="Search software"
        exportPath="/software"
        flyout={(id, frame, row) => <SoftwareFlyout key={id} id={id} frame={frame} row={row} />}
        empty={
          <Empty icon={<BoxMultipleRegular />} title="No software is known yet" action={<ButtonLink primary to="/settings/onboarding">Onboard a device</ButtonLink>}>
            Software shows here as soon as a device has delivered its inventory.
          </Empty>
        }
      />
    </PageHead>
  );
}
