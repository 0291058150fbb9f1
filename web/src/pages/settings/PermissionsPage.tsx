import { Tab, TabList, makeStyles } from "@fluentui/react-components";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { PageHead } from "../../app/PageHead";
import type { RawSearch } from "../../lib/search";
import { PeopleTab } from "./PeopleTab";
import { RolesTab } from "./RolesTab";
import { UserGroupsTab } from "./UserGroupsTab";

const tabs = [{ key: "", title: "People", View: PeopleTab }, { key: "groups", title: "User groups", View: UserGroupsTab }, { key: "roles", title: "Roles", View: RolesTab }] as const;

const useStyles = makeStyles({ tabs: { margin: "6px 0 0 -8px", flexShrink: 0 } });

/** Settings › Permissions: people, the user groups that they are in, and the roles of those. */
export function PermissionsPage() {
  const s = useStyles();
  const navigate = useNavigate();
  const raw: RawSearch = useSearch({ strict: false });
  const tab = tabs.find((t) => t.key === (raw.tab ?? "")) ?? tabs[0];
  return (
    <PageHead title="Permissions" scroll text="People are members of user groups, user groups have roles, and device groups say which user groups see them. What somebody may do is all of it together, and a change holds at once.">
      <TabList className={s.tabs} selectedValue={tab.key} onTabSelect={(_, d) => void navigate({ to: ".", search: (d.value === "" ? {} : { tab: String(d.value) }) })}>
        {tabs.map((t) => <Tab key={t.key} value={t.key}>{t.title}</Tab>)}
      </TabList>
      <tab.View />
    </PageHead>
  );
}
