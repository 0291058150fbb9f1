import { Button, Spinner, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { AppsListRegular, PanelLeftContractRegular, PanelLeftExpandRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { firstPage, software, softwareRecommendations } from "../../api/queries";
import { Anchor } from "../../app/Anchor";
import { ErrorPage } from "../../app/ErrorPage";
import { ReportButton } from "../../app/ReportButton";
import { plural } from "../../lib/format";
import { productPath } from "../../lib/product";
import { vendor } from "../../lib/words";
import { Tags } from "../../ui/Chip";
import { TabStrip } from "../../ui/TabStrip";
import { ProductException } from "./ProductException";
import { ProductSide } from "./ProductSide";
import { useProductId } from "./useProductId";

const useStyles = makeStyles({
  page: { display: "flex", flexDirection: "column", flexGrow: 1, minHeight: 0 },
  head: { padding: "14px 32px 0", flexShrink: 0 },
  crumbs: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3, display: "flex", gap: "6px", marginBottom: "6px" },
  line: { display: "flex", alignItems: "center", gap: "14px", flexWrap: "wrap", minHeight: "40px" },
  icon: { fontSize: "30px", color: tokens.colorCompoundBrandForeground1, display: "flex" },
  title: { margin: 0, fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  facts: { display: "flex", gap: "6px 16px", alignItems: "center", flexWrap: "wrap", color: tokens.colorNeutralForeground2, flexGrow: 1 },
  body: { display: "flex", flexGrow: 1, minHeight: 0, borderTop: `1px solid ${tokens.colorNeutralStroke2}`, marginTop: "12px" },
  main: { display: "flex", flexDirection: "column", flexGrow: 1, minWidth: 0, minHeight: 0 },
  tabs: { display: "flex", alignItems: "center", flexShrink: 0, padding: "0 12px 0 8px", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  tab: { flexGrow: 1, minHeight: 0, display: "flex", flexDirection: "column", padding: "0 24px 4px", overflow: "auto" },
  plain: { padding: "20px 24px 32px", backgroundColor: tokens.colorNeutralBackground2, display: "block" },
  wait: { flexGrow: 1 },
});

const tabs: Record<string, string> = { overview: "Overview", recommendations: "Security recommendations", vulnerabilities: "Discovered vulnerabilities", updates: "Missing updates", misconfigurations: "Misconfigurations", devices: "Installed devices", versions: "Version distribution", events: "Event timeline" };

/** The frame of a product's page: head, side panel and tabs. */
export function ProductPage() {
  const s = useStyles();
  const id = useProductId();
  const path = useLocation({ select: (l) => l.pathname });
  const navigate = useNavigate();
  const { data: d, error, refetch } = useQuery(software(id));
  const { data: todo } = useQuery(softwareRecommendations(id, firstPage));
  const [side, setSide] = useState(() => window.innerWidth > 1024);
  const last = path.split("/")[3] ?? "";
  const tab = last in tabs ? last : "overview";
  const name = d?.name ?? "Software";
  useEffect(() => {
    document.title = `${name} · Picket`;
  }, [name]);
  if (error && !d) return <ErrorPage error={error} retry={() => void refetch()} />;
  if (!d) return <Spinner className={s.wait} label="Reading the software …" />;
  const counts: Record<string, number | undefined> = { recommendations: todo?.total, vulnerabilities: d.weaknesses, misconfigurations: d.checks.length, devices: d.installed, versions: d.versions };
  return (
    <div className={s.page}>
      <div className={s.head}>
        <nav className={s.crumbs} aria-label="Breadcrumb">
          <Anchor to="/software">Software inventory</Anchor>
          <span aria-hidden>›</span>
          <span>{d.name}</span>
        </nav>
        <div className={s.line}>
          <span className={s.icon} aria-hidden><AppsListRegular /></span>
          <h1 className={s.title}>{d.name}</h1>
          <div className={s.facts}>
            <span>{vendor(d.vendor)}</span>
            <span>{plural(d.installed, "device")}</span>
            <Tags tags={d.tags} />
          </div>
          <ProductException id={d.id} name={d.name} />
          <ReportButton kind="software" subject={d.id} name={d.name} />
        </div>
      </div>
      <div className={s.body}>
        {side && <ProductSide d={d} />}
        <div className={s.main}>
          <div className={s.tabs}>
            <Button appearance="subtle" icon={side ? <PanelLeftContractRegular /> : <PanelLeftExpandRegular />} aria-label={side ? "Hide software details" : "Show software details"} title={side ? "Hide software details" : "Show software details"} onClick={() => setSide(!side)} />
            <TabStrip tabs={Object.entries(tabs).map(([key, title]) => ({ key, title, count: counts[key] }))} selected={tab} onSelect={(t) => void navigate({ to: productPath(id, t === "overview" ? "" : t) })} />
          </div>
          <div className={mergeClasses(s.tab, tab === "overview" && s.plain)} role="tabpanel" aria-label={tabs[tab]} tabIndex={tab === "overview" ? 0 : undefined}>
            <Outlet />
          </div>
        </div>
      </div>
    </div>
  );
}
