import { makeStyles, tokens } from "@fluentui/react-components";
import { BranchRegular } from "@fluentui/react-icons";
import { useCallback } from "react";
import { softwareVersions } from "../../api/queries";
import type { VersionRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { number } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { releaseName, support, supportTags } from "../../lib/words";
import { FirstTag } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { SeverityBar } from "../../ui/SeverityBar";
import { VersionFlyout } from "./VersionFlyout";
import { useProductId } from "./useProductId";

const spec: ListSpec = { filters: { vulnerable: ["true", "false"], tag: "any" }, sorts: ["version", "installed", "exposed", "weaknesses", "support"], sort: ["-installed", "-version"] };
const groups: readonly FilterGroup[] = [
  { name: "vulnerable", title: "Weaknesses", options: [{ value: "true", label: "With weaknesses" }, { value: "false", label: "Without" }] },
  { name: "tag", title: "End of support", options: supportTags.map((v) => ({ value: v, label: v })) },
];

const useStyles = makeStyles({ quiet: { color: tokens.colorNeutralForeground3 } });

function Support({ r }: { r: VersionRow }) {
  const s = useStyles();
  if (!r.eol) return <span className={s.quiet}>Not known</span>;
  const text = `${releaseName(r.eol)}: ${support(r.eol)}`;
  return <span title={text}>{text}</span>;
}

const columns: readonly Column<VersionRow>[] = [
  { key: "version", title: "Version", width: 150, grow: true, sort: { key: "version", first: "desc" }, render: (r) => <OpenLink id={r.version}>{r.version || "not readable"}</OpenLink> },
  { key: "places", title: "Release or ecosystem", width: 124, wrap: true, render: (r) => r.places.join(", ") },
  { key: "installed", title: "Installed on", width: 108, align: "end", sort: { key: "installed", first: "desc" }, render: (r) => number(r.installed) },
  { key: "exposed", title: "Exposed", width: 96, align: "end", sort: { key: "exposed", first: "desc" }, render: (r) => number(r.exposed) },
  { key: "weaknesses", title: "Weaknesses", width: 130, sort: { key: "weaknesses", first: "desc" }, render: (r) => <SeverityBar column total={r.weaknesses} counts={r.severity} /> },
  { key: "support", title: "End of support", width: 160, wrap: true, sort: { key: "support", first: "asc" }, render: (r) => <Support r={r} /> },
  { key: "tags", title: "Tags", width: 140, render: (r) => <FirstTag tags={r.tags} /> },
];

/** How many devices have which version of a product. */
export function ProductVersions() {
  const id = useProductId();
  const query = useCallback((q: Record<string, string>) => softwareVersions(id, q), [id]);
  return (
    <ListView
      name="product-versions"
      label="Version distribution"
      spec={spec}
      groups={groups}
      columns={columns}
      query={query}
      rowKey={(r) => r.version}
      searchLabel="Search version"
      exportPath={`/software/${encodeURIComponent(id)}/versions`}
      flyout={(version, frame, row) => <VersionFlyout key={version} product={id} version={version} frame={frame} row={row} />}
      empty={<Empty icon={<BranchRegular />} title="No version is installed">Only leftover configuration of this software is on devices.</Empty>}
    />
  );
}
