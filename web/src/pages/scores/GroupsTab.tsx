import { DataPieRegular } from "@fluentui/react-icons";
import { scoreGroups } from "../../api/scores";
import type { ScoreGroupPart } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { full } from "../../lib/exposure";
import { number } from "../../lib/format";
import type { ListSpec } from "../../lib/search";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { ExposureLevel, ScoreNumber } from "../../ui/Exposure";
import { Points } from "./Points";
import { Summary } from "./Summary";

const spec: ListSpec = { filters: {}, sorts: ["name", "devices", "score", "weight", "share"], sort: ["-share"], extra: ["tab"] };

const columns: readonly Column<ScoreGroupPart>[] = [
  { key: "name", title: "Device group", width: 220, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <Anchor to="." search={{ tab: "devices", device_group: String(r.id) }}>{r.name}</Anchor> },
  { key: "share", title: "Share of the score", width: 150, align: "end", sort: { key: "share", first: "desc" }, render: (r) => <Points value={r.share} /> },
  { key: "devices", title: "Devices", width: 110, align: "end", sort: { key: "devices", first: "desc" }, render: (r) => number(r.devices) },
  { key: "weight", title: "Weight", width: 110, align: "end", sort: { key: "weight", first: "desc" }, render: (r) => full(r.weight) },
  { key: "score", title: "Own score", width: 120, align: "end", sort: { key: "score", first: "desc" }, render: (r) => <ScoreNumber value={r.score} /> },
  { key: "level", title: "Exposure level", width: 150, render: (r) => <ExposureLevel level={r.level} /> },
  { key: "num", title: "Exact share (numerator)", width: 220, align: "end", optional: true, render: (r) => r.num },
];

/** The exposure score, opened into device groups. */
export function GroupsTab() {
  return (
    <>
      <Summary />
      <ListView
        name="score-groups"
        label="Device groups of the score"
        spec={spec}
        groups={[]}
        columns={columns}
        query={scoreGroups}
        rowKey={(r) => String(r.id)}
        searchLabel="Search device group"
        exportPath="/exposure-score/groups"
        empty={<Empty icon={<DataPieRegular />} title="No device counts">Devices count in the score once something could be judged on them, and as long as they were seen within 30 days.</Empty>}
      />
    </>
  );
}
