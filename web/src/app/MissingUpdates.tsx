import { OpenRegular, ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useQuery, type UseQueryOptions } from "@tanstack/react-query";
import type { MissingUpdate, Page } from "../api/schema";
import { number, plural } from "../lib/format";
import { productPath } from "../lib/product";
import type { ListSpec } from "../lib/search";
import { products, severities, severityWord, threatFilter, threatNames } from "../lib/words";
import { FirstTag, Tags } from "../ui/Chip";
import type { Column } from "../ui/DataTable";
import { Empty } from "../ui/Empty";
import { Fact, Facts, Section } from "../ui/Facts";
import type { FilterGroup } from "../ui/FilterPanel";
import { PlainTable, type PlainColumn } from "../ui/PlainTable";
import { SeverityBar } from "../ui/SeverityBar";
import { ThreatIcons, ThreatList } from "../ui/Threats";
import { Anchor, OpenLink, Outside } from "./Anchor";
import { Flyout } from "./Flyout";
import { ListView, type FlyoutFrame } from "./ListView";

const spec: ListSpec = {
  filters: { severity: severities, threat: threatNames },
  sorts: ["id", "products", "weaknesses", "severity", "devices"],
  sort: ["-severity"],
};

const groups: readonly FilterGroup[] = [
  { name: "severity", title: "Highest severity", options: severities.map((v) => ({ value: v, label: severityWord[v] })) },
  threatFilter,
];

const columns: readonly Column<MissingUpdate>[] = [
  { key: "id", title: "Bulletin", width: 150, sort: { key: "id", first: "desc" }, render: (r) => <OpenLink id={r.id}>{r.id}</OpenLink> },
  { key: "systems", title: "OS version", width: 98, render: (r) => r.systems.join(", ") },
  { key: "products", title: "Products affected", width: 132, grow: true, sort: { key: "products", first: "asc" }, render: (r) => <span title={products(r.products)}>{products(r.products)}</span> },
  { key: "weaknesses", title: "CVEs addressed", width: 116, sort: { key: "weaknesses", first: "desc" }, render: (r) => <SeverityBar column total={r.weaknesses} counts={r.severity} /> },
  { key: "fixed", title: "Fixed version", width: 132, render: (r) => <span title={fixed(r)}>{fixed(r) || "–"}</span> },
  { key: "threats", title: "Threats", width: 106, render: (r) => <ThreatIcons facts={r.threats} /> },
  { key: "devices", title: "Missed on devices", width: 88, wrap: true, align: "end", sort: { key: "devices", first: "desc" }, render: (r) => number(r.devices) },
  { key: "tags", title: "Tags", width: 80, render: (r) => <FirstTag short tags={r.tags} /> },
];

// In the list of one device "Threats" tells of that device alone.
const elsewhere: Column<MissingUpdate> = { key: "elsewhere", title: "Other devices with alerts", width: 130, wrap: true, align: "end", optional: true, render: (r) => number(r.alerts_elsewhere) };

const fixed = (r: MissingUpdate): string => [...new Set(r.products.map((p) => p.fixed))].filter((v) => v !== "").join(", ");

const productColumns: readonly PlainColumn<MissingUpdate["products"][number]>[] = [
  { key: "name", title: "Product", render: (p) => <Anchor to={productPath(p.id)}>{p.name}</Anchor> },
  { key: "version", title: "Installed version", width: "34%", render: (p) => p.version || "–" },
  { key: "fixed", title: "Fixed version", width: "34%", render: (p) => p.fixed || "–" },
];

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- every resource has a key type of its own
type Updates = (q: Record<string, string>) => UseQueryOptions<Page<MissingUpdate>, Error, Page<MissingUpdate>, any>;

/** One update: its row is found by its id, wherever in the list it is. */
function UpdateFlyout({ id, query, frame, row }: { id: string; query: Updates; frame: FlyoutFrame; row: MissingUpdate | undefined }) {
  const q = useQuery(query({ q: id, page: "1", size: "100" }));
  const r = row ?? q.data?.items.find((x) => x.id === id);
  const gone = q.data && !r ? new Error(`${id} is not missing here any more.`) : null;
  return (
    <Flyout
      frame={frame}
      state={{ data: r, error: r ? null : (q.error ?? gone), refetch: q.refetch }}
      title={id}
      subtitle={r && <><span>{r.systems.join(", ")}</span><span>{`missed on ${plural(r.devices, "device")}`}</span><Tags tags={r.tags} /></>}
      actions={r?.url ? <Outside href={r.url}><OpenRegular aria-hidden /> Open the bulletin</Outside> : undefined}
      tabs={[{
        key: "details",
        title: "Details",
        render: () => r && (
          <>
            <Section title="Update">
              <Facts>
                <Fact name="Bulletin">{r.url ? <Outside href={r.url}>{r.id}</Outside> : r.id}</Fact>
                <Fact name="OS version">{r.systems.join(", ")}</Fact>
                <Fact name="CVEs addressed"><SeverityBar total={r.weaknesses} counts={r.severity} /></Fact>
                <Fact name="Missed on">{plural(r.devices, "device")}</Fact>
              </Facts>
            </Section>
            <Section title="Products affected"><PlainTable label="Products affected" columns={productColumns} rows={r.products} rowKey={(p) => `${p.id} ${p.version}`} /></Section>
            <Section title="Threat insights"><ThreatList facts={r.threats} />{r.alerts_elsewhere > 0 && <p>{`${plural(r.alerts_elsewhere, "other device")} that ${r.alerts_elsewhere === 1 ? "lacks" : "lack"} it ${r.alerts_elsewhere === 1 ? "has" : "have"} active alerts.`}</p>}</Section>
            {r.weakness_ids.length > 0 && <Section title="Vulnerabilities"><p>{r.weakness_ids.map((w, i) => <span key={w}>{i > 0 && ", "}<Anchor to="/weaknesses" search={{ open: w, q: w, exposed: "any" }}>{w}</Anchor></span>)}</p></Section>}
          </>
        ),
      }]}
    />
  );
}

/** The updates that vendors announced and that are missing, on one `device` or of one product. */
export function MissingUpdates({ name, query, exportPath, device }: {
  device?: boolean;
  name: string;
  query: Updates;
  exportPath: string;
}) {
  return (
    <ListView
      name={name}
      label="Missing updates"
      spec={spec}
      groups={groups}
      columns={device ? [...columns, elsewhere] : columns}
      query={query}
      rowKey={(r) => r.id}
      searchLabel="Search bulletin, product, CVE"
      exportPath={exportPath}
      flyout={(id, frame, row) => <UpdateFlyout key={id} id={id} query={query} frame={frame} row={row} />}
      empty={<Empty icon={<ShieldCheckmarkRegular />} title="No update is missing">No fix that a vendor announced in a bulletin is missing here. Fixes without a bulletin are among the vulnerabilities.</Empty>}
    />
  );
}
