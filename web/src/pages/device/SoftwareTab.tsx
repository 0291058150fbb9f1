import { makeStyles, tokens } from "@fluentui/react-components";
import { BoxMultipleRegular } from "@fluentui/react-icons";
import { useCallback } from "react";
import { deviceSoftware } from "../../api/queries";
import type { DeviceSoftwareRow } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { useDeviceId } from "../../app/useDeviceId";
import type { ListSpec } from "../../lib/search";
import { codeFilter, codeNames, threatFilter, threatNames, vendor } from "../../lib/words";
import { Chip, FirstTag } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { SeverityBar } from "../../ui/SeverityBar";
import { ThreatIcons } from "../../ui/Threats";
import { Ago, Day } from "../../ui/Time";
import { SoftwareFlyout } from "./SoftwareFlyout";

const spec: ListSpec = {
  filters: { code: codeNames, vulnerable: ["true"], update: ["true"], assessed: ["true", "false"], threat: threatNames, vendor: "any", ecosystem: "any" },
  sorts: ["name", "vendor", "version", "weaknesses", "severity", "last_found"],
  sort: ["-weaknesses"],
};

const groups: readonly FilterGroup[] = [
  codeFilter,
  { name: "vulnerable", title: "Weaknesses", options: [{ value: "true", label: "Only software with weaknesses" }] },
  { name: "update", title: "Updates", options: [{ value: "true", label: "Update available" }] },
  { name: "assessed", title: "Assessment", options: [{ value: "true", label: "Assessed" }, { value: "false", label: "Not assessed" }] },
  threatFilter,
  { name: "vendor", title: "Vendor", options: ["debian", "ubuntu", "pypi", "npm", "go", "maven", "rubygems"].map((v) => ({ value: v, label: vendor(v) })), free: { hint: "red_hat" } },
  { name: "ecosystem", title: "Ecosystem", options: ["Debian", "PyPI", "npm", "Go", "Maven", "RubyGems"].map((v) => ({ value: v, label: v })), free: { hint: "Alpine" } },
];

const useStyles = makeStyles({ quiet: { color: tokens.colorNeutralForeground3 } });

function Weak({ r }: { r: DeviceSoftwareRow }) {
  const s = useStyles();
  if (r.not_assessed !== "" && r.weaknesses === 0) return <span className={s.quiet} title={r.not_assessed}>Not available</span>;
  return <SeverityBar column total={r.weaknesses} counts={r.severity} />;
}

function Quiet({ children }: { children: string }) {
  const s = useStyles();
  return <span className={s.quiet} title={children}>{children}</span>;
}

const columns: readonly Column<DeviceSoftwareRow>[] = [
  { key: "name", title: "Name", width: 136, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.name}</OpenLink> },
  { key: "vendor", title: "Vendor", width: 80, sort: { key: "vendor", first: "asc" }, render: (r) => vendor(r.vendor) },
  { key: "version", title: "Installed version", width: 150, sort: { key: "version", first: "asc" }, render: (r) => <span title={r.version}>{r.version || "–"}</span> },
  { key: "weaknesses", title: "Weaknesses", width: 124, sort: { key: "weaknesses", first: "desc" }, render: (r) => <Weak r={r} /> },
  { key: "threats", title: "Threats", width: 112, render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "code", title: "Product code", width: 158, render: (r) => (r.product_code ? <span title={r.product_code}><Mono>{r.product_code}</Mono></span> : <Quiet>Not available</Quiet>) },
  { key: "tags", title: "Tags", width: 148, render: (r) => <FirstTag tags={r.tags} /> },
  { key: "update", title: "Update", width: 190, optional: true, render: (r) => (r.update ? <>{r.update} {r.update_security && <Chip tone="info">Security</Chip>}</> : "–") },
  { key: "ecosystem", title: "Ecosystem", width: 120, optional: true, render: (r) => r.ecosystem },
  { key: "last_found", title: "Last found", width: 130, optional: true, sort: { key: "last_found", first: "desc" }, render: (r) => <Ago at={r.last_found} /> },
  { key: "first_found", title: "First found", width: 130, optional: true, render: (r) => <Day at={r.first_found} /> },
  { key: "id", title: "Product id", width: 240, optional: true, render: (r) => r.id },
];

/** The software of one device. */
export function SoftwareTab() {
  const id = useDeviceId();
  const query = useCallback((q: Record<string, string>) => deviceSoftware(id, q), [id]);
  return (
    <ListView
      key={id}
      name="device-software"
      label="Software inventory"
      spec={spec}
      groups={groups}
      columns={columns}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search software"
      exportPath={`/devices/${encodeURIComponent(id)}/software`}
      flyout={(product, frame, row) => <SoftwareFlyout key={product} device={id} product={product} frame={frame} row={row} />}
      empty={
        <Empty icon={<BoxMultipleRegular />} title="No software is known yet">
          The agent has not delivered a package section, or found no package database that it can read. Look under Coverage in the sidebar for the reason.
        </Empty>
      }
    />
  );
}
