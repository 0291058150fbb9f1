import type { WeaknessRow } from "../../api/schema";
import { behavesAsList } from "../../testing/list";
import { at, threats } from "../../testing/rows";

const row = (n: number): WeaknessRow => ({
  id: `CVE-2026-${n}`, title: "", severity: "High", cvss: 7.5, cvss_version: "3.1", epss: 0, threats, published: at, updated: at, age_days: 7, exposed: 2, exposed_after: 2, exposed_unknown: false, affected: 2,
  exception: false, fixable: true, software: [], software_count: 0, states: ["fixed"], tags: ["Zero day"],
});

behavesAsList({
  url: "/weaknesses?exposed=any", rows: "GET /weaknesses", label: "Weaknesses", row, name: (n) => `CVE-2026-${n}`, empty: "No weakness",
  filter: { group: "Tags", option: "Zero day", key: "tag", value: "Zero day" }, sort: { column: "Age", value: "-age" },
});
