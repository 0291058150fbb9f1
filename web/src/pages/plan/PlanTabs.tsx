import { Tab, TabList } from "@fluentui/react-components";
import { useNavigate } from "@tanstack/react-router";

/** The two sides of patch plans: make one, and those that are saved. */
export function PlanTabs({ on }: { on: "new" | "saved" }) {
  const navigate = useNavigate();
  return (
    <TabList selectedValue={on} onTabSelect={(_, d) => { if (d.value !== on) void navigate({ to: d.value === "new" ? "/recommendations/plan" : "/recommendations/plans", search: {} }); }}>
      <Tab value="new">New plan</Tab>
      <Tab value="saved">Saved plans</Tab>
    </TabList>
  );
}
