import { Button } from "@fluentui/react-components";
import { ArrowDownloadRegular, DocumentArrowUpRegular, DocumentCheckmarkRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { address } from "../../api/client";
import { vexDocuments, type VexRow } from "../../api/exchange";
import { Anchor, OpenLink } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { vexDownloads } from "../../app/vexDownloads";
import { number } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import { outcomeText, vexKinds } from "../../lib/vex";
import { Chip } from "../../ui/Chip";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import type { FilterGroup } from "../../ui/FilterPanel";
import { Menu } from "../../ui/Menu";
import { Day } from "../../ui/Time";
import { VexFlyout } from "./VexFlyout";
import { VexPanel } from "./VexPanel";

const spec: ListSpec = {
  filters: { kind: vexKinds, author: "any" },
  sorts: ["document", "author", "made", "loaded", "statements", "applied", "unmatched", "exceptions"],
  sort: ["-made"],
  extra: ["tab"],
};

const groups: readonly FilterGroup[] = [
  { name: "kind", title: "Format", options: vexKinds.map((v) => ({ value: v, label: v })) },
  { name: "author", title: "Author", options: [], free: { hint: "Example Vendor PSIRT" } },
];

const columns: readonly Column<VexRow>[] = [
  { key: "document", title: "Document", width: 230, grow: true, sort: { key: "document", first: "asc" }, render: (r) => <OpenLink id={r.id}>{r.title || r.document}</OpenLink> },
  { key: "author", title: "Author", width: 180, sort: { key: "author", first: "asc" }, render: (r) => <span title={r.author}>{r.author}</span> },
  { key: "kind", title: "Format", width: 104, render: (r) => r.format },
  { key: "made", title: "Dated", width: 128, sort: { key: "made", first: "desc" }, render: (r) => <Day at={r.made} /> },
  { key: "statements", title: "Statements", width: 110, align: "end", sort: { key: "statements", first: "desc" }, render: (r) => <span title={outcomeText(r)}>{number(r.statements)}</span> },
  { key: "applied", title: "Applied", width: 94, align: "end", sort: { key: "applied", first: "desc" }, render: (r) => number(r.applied) },
  { key: "unmatched", title: "Not matched", width: 120, align: "end", sort: { key: "unmatched", first: "desc" }, render: (r) => number(r.unmatched_count) },
  {
    key: "exceptions", title: "Exceptions", width: 116, align: "end", sort: { key: "exceptions", first: "desc" },
    render: (r) => (
      <>
        {r.problem && <Chip tone="bad" title={r.problem}>Incomplete</Chip>}{" "}
        {r.exceptions > 0 ? <Anchor to="/remediation" search={{ tab: "exceptions", document: r.id }}>{number(r.exceptions)}</Anchor> : "0"}
      </>
    ),
  },
  { key: "loaded", title: "Imported on", width: 130, optional: true, sort: { key: "loaded", first: "desc" }, render: (r) => <Day at={r.loaded} /> },
  { key: "loaded_by", title: "Imported by", width: 130, optional: true, render: (r) => r.loaded_by },
  { key: "version", title: "Version", width: 90, optional: true, render: (r) => r.version || "–" },
  { key: "overruled", title: "Overruled", width: 100, align: "end", optional: true, render: (r) => number(r.overruled) },
  { key: "id", title: "Document id", width: 260, optional: true, render: (r) => r.document },
];

/** Documents about exploitability: what was imported and what came of it. */
export function VexTab() {
  const [importing, setImporting] = useState(false);
  const add = (primary: boolean) => <MayButton rights={["settings.security"]} appearance={primary ? "primary" : "subtle"} icon={<DocumentArrowUpRegular />} onClick={() => setImporting(true)}>Import VEX</MayButton>;
  return (
    <>
      <ListView
        name="vex"
        label="VEX documents"
        spec={spec}
        groups={groups}
        columns={columns}
        query={vexDocuments}
        rowKey={(r) => r.id}
        searchLabel="Search document, author"
        exportPath="/vex"
        commands={
          <>
            {add(false)}
            <Menu
              label="Download VEX of all devices, or of the selected device groups"
              entries={vexDownloads((format) => address("/vex/report", { format }))}
              trigger={(t) => <Button {...t} appearance="subtle" icon={<ArrowDownloadRegular />} title="What can be exploited on all devices, or on those of the selected device groups">Download VEX</Button>}
            />
          </>
        }
        flyout={(id, frame, row) => <VexFlyout key={id} id={id} frame={frame} row={row} />}
        empty={
          <Empty icon={<DocumentCheckmarkRegular />} title="No VEX documents" action={add(true)}>
            What vendors say is not affected, or fixed, becomes exceptions that name the document. OpenVEX, CSAF VEX 2.0 and CycloneDX are read.
          </Empty>
        }
      />
      {importing && <VexPanel onClose={() => setImporting(false)} />}
    </>
  );
}
