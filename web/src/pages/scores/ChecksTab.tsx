import { ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { secureChecks } from "../../api/scores";
import type { SecureCheckRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { result, resultNames } from "../../lib/checks";
import { categories, categoryWord, full } from "../../lib/exposure";
import { number } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { CheckFlyout } from "./CheckFlyout";
import { Points } from "./Points";

const spec: ListSpec = {
  filters: { category: categories, missing: ["true", "false"], state: resultNames },
  sorts: ["name", "category", "impact", "got", "missing", "passed", "failed", "not_assessed", "not_applicable"],
  sort: ["-missing"],
  extra: ["tab"],
};

const groups: readonly FilterGroup[] = [
  { name: "category", title: "Category", options: categories.map((v) => ({ value: v, label: categoryWord(v) })) },
  { name: "missing", title: "Points", options: [{ value: "true", label: "Some are missing" }, { value: "false", label: "None is missing" }] },
  { name: "state", title: "Result on some device", options: resultNames.map((v) => ({ value: v, label: result(v).word })) },
];

const columns: readonly Column<SecureCheckRow>[] = [
  { key: "name", title: "Configuration check", width: 220, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.name}</OpenLink> },
  { key: "category", title: "Category", width: 130, wrap: true, sort: { key: "category", first: "asc" }, render: (r) => categoryWord(r.category) },
  { key: "missing", title: "Missing points", width: 106, align: "end", sort: { key: "missing", first: "desc" }, render: (r) => <Points value={r.missing} /> },
  { key: "got", title: "Points", width: 100, align: "end", sort: { key: "got", first: "desc" }, render: (r) => (r.max > 0 ? <span title={`${full(r.got)} of ${number(r.max)}`}>{`${r.got.toFixed(2)} / ${number(r.max)}`}</span> : "–") },
  { key: "passed", title: "Pass", width: 80, align: "end", sort: { key: "passed", first: "desc" }, render: (r) => <span title={r.mitigated > 0 ? `${number(r.mitigated)} by an exception that mitigates` : undefined}>{number(r.passed + r.mitigated)}</span> },
  { key: "failed", title: "Fail", width: 80, align: "end", sort: { key: "failed", first: "desc" }, render: (r) => number(r.failed) },
  { key: "not_assessed", title: "Not assessed", width: 96, align: "end", sort: { key: "not_assessed", first: "desc" }, render: (r) => number(r.not_assessed) },
  { key: "not_applicable", title: "Not applicable", width: 100, align: "end", sort: { key: "not_applicable", first: "desc" }, render: (r) => number(r.not_applicable) },
  { key: "impact", title: "Impact of the check", width: 130, align: "end", optional: true, sort: { key: "impact", first: "desc" }, render: (r) => `${r.impact} of 10` },
  { key: "subcategory", title: "Subcategory", width: 150, optional: true, render: (r) => r.subcategory || "–" },
  { key: "check", title: "Id", width: 110, optional: true, render: (r) => r.check },
];

/** The secure score, opened into all configuration checks. */
export function ChecksTab() {
  return (
    <ListView
      name="secure-checks"
      label="Configuration checks"
      spec={spec}
      groups={groups}
      columns={columns}
      query={secureChecks}
      rowKey={(r) => r.id}
      searchLabel="Search check, subcategory"
      exportPath="/secure-score/checks"
      flyout={(id, frame, row) => <CheckFlyout key={id} id={id} frame={frame} row={row} />}
      empty={<Empty icon={<ShieldCheckmarkRegular />} title="There are no checks">This version of Picket has none.</Empty>}
    />
  );
}
