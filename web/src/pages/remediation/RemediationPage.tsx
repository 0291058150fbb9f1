import { Spinner, Tab, TabList, makeStyles } from "@fluentui/react-components";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Suspense, lazy, type ComponentType } from "react";
import { PageHead } from "../../app/PageHead";
import { Said } from "../../app/Said";
import type { RawSearch } from "../../lib/search";

const Activities = lazy(() => import("./Activities").then((m) => ({ default: m.Activities })));

const Exceptions = lazy(() => import("../exceptions/ExceptionsTab").then((m) => ({ default: m.ExceptionsTab })));

const Vex = lazy(() => import("../vex/VexTab").then((m) => ({ default: m.VexTab })));

/** The tabs of the page; each is loaded when it is first shown and reads its own part of the search. */
const tabs: readonly { key: string; title: string; View: ComponentType }[] = [{ key: "", title: "Activities", View: Activities }, { key: "exceptions", title: "Exceptions", View: Exceptions }, { key: "vex", title: "VEX documents", View: Vex }];

const useStyles = makeStyles({ tabs: { margin: "6px 0 4px -8px", flexShrink: 0 }, wait: { padding: "48px" } });

/** What is being done about recommendations. */
export function RemediationPage() {
  const s = useStyles();
  const navigate = useNavigate();
  const raw: RawSearch = useSearch({ strict: false });
  const tab = tabs.find((t) => t.key === (raw.tab ?? ""));
  const View = tab?.View ?? Activities;
  return (
    <PageHead title="Remediation" text="What people were asked to do about recommendations, and how far it is: counted on the devices themselves.">
      {tabs.length > 1 && (
        <TabList className={s.tabs} selectedValue={tab?.key ?? ""} onTabSelect={(_, d) => void navigate({ to: ".", search: (d.value === "" ? {} : { tab: String(d.value) }) })}>
          {tabs.map((t) => <Tab key={t.key} value={t.key}>{t.title}</Tab>)}
        </TabList>
      )}
      <Suspense fallback={<Spinner className={s.wait} label="Reading …" />}><View /></Suspense>
      <Said />
    </PageHead>
  );
}
