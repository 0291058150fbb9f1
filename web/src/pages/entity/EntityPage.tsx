import { MessageBar, MessageBarBody, Select, Spinner, Tab, TabList, makeStyles, tokens } from "@fluentui/react-components";
import { DocumentRegular, GlobeRegular, PersonRegular, SearchRegular, ServerRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Suspense, lazy } from "react";
import { entity } from "../../api/entity";
import { Problem } from "../../api/client";
import { ButtonLink } from "../../app/ButtonLink";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { useMay } from "../../app/useMay";
import { entityWords, isEntityKind, type EntityKind } from "../../lib/entity";
import { number, plural } from "../../lib/format";
import { entityQuery } from "../../lib/kql";
import type { RawSearch } from "../../lib/search";
import { Mono } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";
import { Fact, Facts } from "../../ui/Facts";
import { Moment } from "../../ui/Time";
import { EntityDevices } from "./EntityDevices";
import { EntityEventList } from "./EntityEventList";

const AlertList = lazy(() => import("../alerts/AlertList").then((m) => ({ default: m.AlertList })));

const spans = ["1", "7", "30", "90", "180"] as const;
const icons = { file: DocumentRegular, ip: ServerRegular, domain: GlobeRegular, user: PersonRegular };

const useStyles = makeStyles({
  facts: { padding: "12px 0 8px", flexShrink: 0 },
  names: { margin: "4px 0 0", padding: 0, listStyle: "none", display: "flex", flexWrap: "wrap", gap: "4px 20px" },
  quiet: { color: tokens.colorNeutralForeground3 },
  bar: { display: "flex", alignItems: "center", gap: "16px", flexShrink: 0, borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, marginBottom: "8px" },
  tabs: { marginLeft: "-8px", flexGrow: 1 },
  span: { minWidth: "120px" },
  wait: { padding: "48px" },
});

/** One file, address, host or user: what all devices say of it. */
export function EntityPage() {
  const { kind = "", id = "" }: { kind?: string; id?: string } = useParams({ strict: false });
  if (!isEntityKind(kind)) return <ErrorPage error={new Problem(404, "There is no such page", "Entities are files, addresses, hosts and users.")} />;
  return <EntityFrame key={`${kind} ${id}`} kind={kind} id={id} />;
}

function EntityFrame({ kind, id }: { kind: EntityKind; id: string }) {
  const s = useStyles();
  const navigate = useNavigate();
  const raw: RawSearch = useSearch({ strict: false });
  const days = spans.find((d) => d === raw.days) ?? "30";
  const { may: readsAlerts } = useMay("view.security-operations", "alerts.investigate");
  const tab = raw.tab === "events" || (raw.tab === "alerts" && readsAlerts) ? raw.tab : "devices";
  const { data: d, error, refetch } = useQuery(entity(kind, id, days));
  const words = entityWords[kind];
  const go = (part: RawSearch) => void navigate({ to: ".", search: ((was: RawSearch) => Object.fromEntries(Object.entries({ ...(was.group ? { group: was.group } : {}), ...(tab === "devices" ? {} : { tab }), ...(days === "30" ? {} : { days }), ...part }).filter(([, v]) => v !== ""))) });
  const unseen = error instanceof Problem && error.status === 404;
  const Icon = icons[kind];
  if (error && !unseen && !d) return <ErrorPage error={error} retry={() => void refetch()} />;
  return (
    <PageHead title={d?.name ?? id} text={<>{`${words.word} `}<Mono>{id}</Mono>{d?.sort ? `, ${d.sort.toLowerCase()}` : ""}</>}>
      <div className={s.bar}>
        <TabList className={s.tabs} selectedValue={tab} onTabSelect={(_, t) => go({ tab: t.value === "devices" ? "" : String(t.value) })}>
          <Tab value="devices">Devices</Tab>
          <Tab value="events">Newest events</Tab>
          {readsAlerts && <Tab value="alerts">Alerts</Tab>}
        </TabList>
        <ButtonLink to="/hunting" search={{ query: entityQuery(kind, id), ...(days === "30" ? {} : { days }) }} icon={<SearchRegular />}>Hunt</ButtonLink>
        <Select className={s.span} appearance="underline" aria-label="How far back" value={days} onChange={(_, o) => go({ days: o.value === "30" ? "" : o.value })}>
          {spans.map((v) => <option key={v} value={v}>{plural(Number(v), "day")}</option>)}
        </Select>
      </div>
      {tab === "alerts" ? (
        <Suspense><AlertList entity={`${kind}:${id}`} /></Suspense>
      ) : unseen ? (
        <Empty icon={<Icon />} title="Not seen">{`${words.none} Look further back, or at other device groups.`}</Empty>
      ) : !d ? (
        <Spinner className={s.wait} label="Looking through all devices …" />
      ) : (
        <>
          <div className={s.facts}>
            <Facts>
              <Fact name="Seen on">{plural(d.devices, "device")}</Fact>
              <Fact name="Events">{number(d.events)}</Fact>
              <Fact name="First seen"><Moment at={d.first} /></Fact>
              <Fact name="Last seen"><Moment at={d.last} /></Fact>
              {d.file && (
                <>
                  <Fact name="Size">{d.file.size > 0 && `${number(d.file.size)} bytes`}</Fact>
                  <Fact name="Path">{d.file.path && <Mono>{d.file.path}</Mono>}</Fact>
                  <Fact name="SHA-256" wide>{d.file.sha256 && <Mono>{d.file.sha256}</Mono>}</Fact>
                  <Fact name="SHA-1" wide>{d.file.sha1 && <Mono>{d.file.sha1}</Mono>}</Fact>
                </>
              )}
              <Fact name={words.names} wide>
                {d.names.length > 0 && (
                  <ul className={s.names}>
                    {d.names.map((n) => <li key={n.name}>{n.name || "no name"} <span className={s.quiet}>{plural(n.devices, "device")}</span></li>)}
                  </ul>
                )}
              </Fact>
            </Facts>
          </div>
          {d.unlisted + d.damaged > 0 && (
            <MessageBar intent="warning"><MessageBarBody>{`These numbers may be too low: the index had no room for ${plural(d.unlisted, "mention")} of entities${d.damaged > 0 ? `, and ${plural(d.damaged, "part")} of the event log could not be read` : ""}.`}</MessageBarBody></MessageBar>
          )}
          {tab === "events" ? <EntityEventList kind={kind} id={id} days={days} /> : <EntityDevices kind={kind} id={id} />}
        </>
      )}
    </PageHead>
  );
}
