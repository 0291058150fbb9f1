import { makeStyles, tokens } from "@fluentui/react-components";
import { BeakerRegular, LightbulbCheckmarkRegular, TaskListSquareLtrRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { recommendations, status } from "../../api/queries";
import type { RecommendationRow } from "../../api/schema";
import { useBasket } from "../../app/basket";
import { without } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { ListView } from "../../app/ListView";
import { ExceptionMark } from "../../app/ExceptionMark";
import { PageHead } from "../../app/PageHead";
import { categories, categoryWord, full, isConfiguration, remedy, remedyNames } from "../../lib/exposure";
import { recommendationStatus, recommendationStatusNames } from "../../lib/exception";
import { number, plural } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { vendor } from "../../lib/vendor";
import { recommendationTags, threatFilter, threatNames } from "../../lib/words";
import { FirstTag } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import { ActivityCount } from "./ActivityCount";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { Impact } from "../../ui/Exposure";
import type { FilterGroup } from "../../ui/FilterPanel";
import { MiniTrend } from "../../ui/MiniTrend";
import { Remedy } from "../../ui/Remedy";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatIcons } from "../../ui/Threats";
import { Pick } from "./Pick";
import { RecommendationFlyout } from "./RecommendationFlyout";
import { WhatIfFlyout, whatIfKey } from "./WhatIfFlyout";

const spec: ListSpec = {
  filters: { type: remedyNames, category: categories, threat: threatNames, status: recommendationStatusNames, tag: "any", component: "any", vendor: "any", weaknesses: ["true", "false"], os: "any" },
  sorts: ["name", "component", "weaknesses", "exposed", "impact", "type", "severity", "secure", "status", "exposed_after", "impact_after", "os", "threats", "activities", "tags", "category", "subcategory", "ecosystem", "vendor", "version"],
  sort: ["-impact"],
};

const groups: readonly FilterGroup[] = [
  { name: "type", title: "Remediation type", options: remedyNames.map((v) => ({ value: v, label: remedy(v).word })) },
  { name: "category", title: "Category", options: categories.map((v) => ({ value: v, label: categoryWord(v) })) },
  threatFilter,
  { name: "status", title: "Status", options: recommendationStatusNames.map((v) => ({ value: v, label: recommendationStatus(v).word })) },
  { name: "tag", title: "Tags", options: recommendationTags.map((v) => ({ value: v, label: v })) },
  { name: "weaknesses", title: "Weaknesses", options: [{ value: "true", label: "Closes weaknesses" }, { value: "false", label: "Closes none" }] },
  { name: "os", title: "OS platform", options: [], free: { hint: "Debian" } },
  { name: "component", title: "Related component", options: [], free: { hint: "openssl" } },
  { name: "vendor", title: "Vendor", options: [], free: { hint: "debian" } },
];

const useStyles = makeStyles({ quiet: { color: tokens.colorNeutralForeground3 }, hot: { fontWeight: tokens.fontWeightSemibold }, exposed: { display: "inline-flex", alignItems: "center", gap: "8px", verticalAlign: "middle" } });

function Exposed({ r }: { r: RecommendationRow }) {
  const s = useStyles();
  return (
    <span className={s.exposed} title={`${number(r.exposed)} exposed of ${plural(r.installed, "device")} ${isConfiguration(r.type) ? "that it concerns" : "where it is installed"}`}>
      <MiniTrend bare width={36} counts={r.trend} what="Exposed devices" />
      <span><span className={s.hot}>{number(r.exposed)}</span><span className={s.quiet}>{` / ${number(r.installed)}`}</span></span>
    </span>
  );
}

/** The first platform, and how many more there are. */
function Systems({ all }: { all: readonly string[] }) {
  const [first = "–", ...more] = all;
  return <span title={all.join(", ")}>{first}{more.length > 0 && ` +${more.length}`}</span>;
}

/** What it is about: the same name of two vendors is two components. */
function Component({ r }: { r: RecommendationRow }) {
  const s = useStyles();
  return <span title={r.vendor ? `${r.component} (${vendor(r.vendor)})` : r.component}>{r.component} <span className={s.quiet}>{vendor(r.vendor)}</span></span>;
}

/** What the exposure score falls by and, of a setting, what the secure score rises by. */
function Both({ r }: { r: RecommendationRow }) {
  const s = useStyles();
  return <><Impact value={r.impact} />{r.secure_gain > 0 && <div className={s.quiet} title={`The secure score rises by ${full(r.secure_gain)} points`}>{`+${r.secure_gain.toFixed(2)}`}</div>}</>;
}

const columns: readonly Column<RecommendationRow>[] = [
  { key: "name", title: "Security recommendation", width: 192, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <Pick r={r} /> },
  { key: "os", title: "OS platform", width: 102, wrap: true, sort: { key: "os", first: "asc" }, render: (r) => <Systems all={r.os_platforms} /> },
  { key: "weaknesses", title: "Weaknesses", width: 108, sort: { key: "weaknesses", first: "desc" }, render: (r) => (isConfiguration(r.type) ? "–" : <SeverityBar column total={r.weaknesses} counts={r.severity} />) },
  { key: "component", title: "Related component", width: 106, wrap: true, sort: { key: "component", first: "asc" }, render: (r) => <Component r={r} /> },
  { key: "threats", title: "Threats", width: 118, sort: { key: "threats", first: "desc" }, render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "exposed", title: "Exposed devices", width: 104, align: "end", sort: { key: "exposed", first: "desc" }, render: (r) => <Exposed r={r} /> },
  { key: "status", title: "Status", width: 88, wrap: true, sort: { key: "status", first: "desc" }, render: (r) => <ExceptionMark plain status={r.status} /> },
  { key: "type", title: "Remediation type", width: 112, wrap: true, sort: { key: "type", first: "asc" }, render: (r) => <Remedy plain type={r.type} /> },
  { key: "activities", title: "Activities", width: 90, align: "end", sort: { key: "activities", first: "desc" }, render: (r) => <ActivityCount r={r} /> },
  { key: "impact", title: "Impact", width: 86, align: "end", wrap: true, sort: { key: "impact", first: "desc" }, render: (r) => <Both r={r} /> },
  { key: "tags", title: "Tags", width: 78, sort: { key: "tags", first: "desc" }, render: (r) => <FirstTag short tags={r.tags} /> },
  { key: "exposed_after", title: "Exposed devices (after exceptions)", width: 240, align: "end", optional: true, sort: { key: "exposed_after", first: "desc" }, render: (r) => number(r.exposed_after) },
  { key: "impact_after", title: "Impact (after exceptions)", width: 190, align: "end", optional: true, sort: { key: "impact_after", first: "desc" }, render: (r) => <Impact value={r.impact_after} /> },
  { key: "category", title: "Category", width: 140, optional: true, sort: { key: "category", first: "asc" }, render: (r) => categoryWord(r.category) },
  { key: "subcategory", title: "Subcategory", width: 150, optional: true, sort: { key: "subcategory", first: "asc" }, render: (r) => r.subcategory || "–" },
  { key: "ecosystem", title: "Ecosystem", width: 120, optional: true, sort: { key: "ecosystem", first: "asc" }, render: (r) => r.ecosystem || "–" },
  { key: "secure", title: "Secure score", width: 110, align: "end", optional: true, sort: { key: "secure", first: "desc" }, render: (r) => (r.secure_gain > 0 ? <span title={`+${String(r.secure_gain)} points`}>{`+${r.secure_gain.toFixed(2)}`}</span> : "–") },
  { key: "vendor", title: "Vendor", width: 130, optional: true, sort: { key: "vendor", first: "asc" }, render: (r) => vendor(r.vendor) || "–" },
  { key: "version", title: "Version", width: 190, optional: true, sort: { key: "version", first: "asc" }, render: (r) => <span title={r.version}>{r.version || "–"}</span> },
  { key: "code", title: "Product code", width: 300, optional: true, render: (r) => (r.product_code ? <span title={r.product_code}><Mono>{r.product_code}</Mono></span> : "Not available") },
];

/** The basket as a what-if, and plans. */
function Commands() {
  const basket = useBasket();
  return (
    <>
      <ButtonLink to="." search={(before) => ({ ...without(before, "view"), open: whatIfKey })} icon={<BeakerRegular />}>{`What-if (${number(basket.length)})`}</ButtonLink>
      <ButtonLink to="/recommendations/plan" icon={<TaskListSquareLtrRegular />}>Patch plan</ButtonLink>
    </>
  );
}

/** What to do on all devices, by what it lowers the score. */
export function RecommendationsPage() {
  const { data: st } = useQuery(status);
  return (
    <PageHead title="Security recommendations" text="One row per product and kind of remediation, release without support, and setting. Impact: what the exposure score falls by and, beneath, what the secure score rises by.">
      <ListView
        name="recommendations"
        label="Security recommendations"
        spec={spec}
        groups={groups}
        columns={columns}
        query={recommendations}
        rowKey={(r) => r.id}
        searchLabel="Search recommendation, vendor, CVE id"
        exportPath="/recommendations"
        commands={<Commands />}
        flyout={(id, frame, row) => id === whatIfKey ? <WhatIfFlyout frame={frame} /> : <RecommendationFlyout key={id} id={id} frame={frame} row={row} />}
        empty={
          st?.intelligence_empty ? (
            <Empty icon={<LightbulbCheckmarkRegular />} title="No intelligence is loaded" action={<ButtonLink primary to="/settings/intelligence">Open Intelligence</ButtonLink>}>
              Nothing can be recommended before a feed is loaded.
            </Empty>
          ) : (
            <Empty icon={<LightbulbCheckmarkRegular />} title="Nothing to do">The loaded intelligence knows no weakness that counts of the software on your devices.</Empty>
          )
        }
      />
    </PageHead>
  );
}
