import { DataPieRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { deviceGroups } from "../../api/queries";
import { scoreDevices } from "../../api/scores";
import type { ScoreDevicePart } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ListView } from "../../app/ListView";
import { full, levelWord, levels, values } from "../../lib/exposure";
import type { ListSpec } from "../../lib/search";
import type { Column } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { ExposureLevel, ScoreNumber } from "../../ui/Exposure";
import { Points } from "./Points";
import { Summary } from "./Summary";

const counted = levels.filter((l) => l !== "NoData");
const spec: ListSpec = { filters: { value: values, exposure: counted, device_group: "any" }, sorts: ["name", "group", "score", "weight", "share"], sort: ["-share"], extra: ["tab"] };

const columns: readonly Column<ScoreDevicePart>[] = [
  { key: "name", title: "Device", width: 200, grow: true, sort: { key: "name", first: "asc" }, render: (r) => <Anchor to={`/devices/${r.id}`} search={{ open: "score" }}>{r.name}</Anchor> },
  { key: "share", title: "Share of the score", width: 150, align: "end", sort: { key: "share", first: "desc" }, render: (r) => <Points value={r.share} /> },
  { key: "score", title: "Own score", width: 120, align: "end", sort: { key: "score", first: "desc" }, render: (r) => <ScoreNumber value={r.score} /> },
  { key: "weight", title: "Weight", width: 110, align: "end", sort: { key: "weight", first: "desc" }, render: (r) => full(r.weight) },
  { key: "value", title: "Value", width: 100, render: (r) => r.value },
  { key: "level", title: "Exposure level", width: 150, render: (r) => <ExposureLevel level={r.level} /> },
  { key: "group", title: "Device group", width: 180, sort: { key: "group", first: "asc" }, render: (r) => r.group },
  { key: "os", title: "Operating system", width: 220, optional: true, render: (r) => r.os_name },
  { key: "num", title: "Exact share (numerator)", width: 220, align: "end", optional: true, render: (r) => r.num },
];

/** The exposure score, opened into devices; each opens into its findings. */
export function DevicesTab() {
  const { data: own = [] } = useQuery(deviceGroups);
  return (
    <>
      <Summary />
      <ListView
        name="score-devices"
        label="Devices of the score"
        spec={spec}
        groups={[
          { name: "value", title: "Device value", options: values.map((v) => ({ value: v, label: v })) },
          { name: "exposure", title: "Exposure level", options: counted.map((v) => ({ value: v, label: levelWord(v) })) },
          { name: "device_group", title: "Device group", options: own.map((g) => ({ value: String(g.id), label: g.name })), find: own.length > 20 },
        ]}
        columns={columns}
        query={scoreDevices}
        rowKey={(r) => r.id}
        searchLabel="Search device"
        exportPath="/exposure-score/devices"
        empty={<Empty icon={<DataPieRegular />} title="No device counts">Devices count in the score once something could be judged on them, and as long as they were seen within 30 days.</Empty>}
      />
    </>
  );
}
