import { Tab, TabList, makeStyles } from "@fluentui/react-components";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { PageHead } from "../../app/PageHead";
import type { RawSearch } from "../../lib/search";
import { ChecksTab } from "./ChecksTab";
import { DevicesTab } from "./DevicesTab";
import { GroupsTab } from "./GroupsTab";

const tabs: readonly { key: string; title: string; text: string; View: ComponentType }[] = [
  { key: "", title: "Exposure score by device group", View: GroupsTab, text: "The exposure score is the mean of devices' scores by their weights. The shares of all device groups add up to it exactly; a group opens into its devices." },
  { key: "devices", title: "Exposure score by device", View: DevicesTab, text: "A device's share is its own score times its weight, of the weight of all. The shares add up to the score exactly; a device opens into its findings, settings and alerts." },
  { key: "checks", title: "Secure score by check", View: ChecksTab, text: "Every configuration check with its points. What is missing is devices that fail it, and devices that could not be judged; the points of a category add up to its bar." },
];

const useStyles = makeStyles({ tabs: { margin: "6px 0 4px -8px", flexShrink: 0 } });

/** What the scores of the dashboard are made of. */
export function ScoresPage() {
  const s = useStyles();
  const navigate = useNavigate();
  const raw: RawSearch = useSearch({ strict: false });
  const tab = tabs.find((t) => t.key === (raw.tab ?? ""));
  const View = tab?.View ?? GroupsTab;
  return (
    <PageHead title="Why these scores" text={tab?.text}>
      <TabList className={s.tabs} selectedValue={tab?.key ?? ""} onTabSelect={(_, d) => void navigate({ to: ".", search: d.value === "" ? {} : { tab: String(d.value) } })}>
        {tabs.map((t) => <Tab key={t.key} value={t.key}>{t.title}</Tab>)}
      </TabList>
      <View key={tab?.key} />
    </PageHead>
  );
}
