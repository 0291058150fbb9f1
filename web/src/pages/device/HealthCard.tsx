import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import type { DeviceHealth, ScanFact } from "../../api/schema";
import { deviceHealth } from "../../api/timeline";
import { Anchor } from "../../app/Anchor";
import { number, plural } from "../../lib/format";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { Fact, Facts } from "../../ui/Facts";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({
  facts: { marginTop: "14px" },
  note: { color: tokens.colorNeutralForeground3, margin: "12px 0 0" },
});

/** The first thing that is wrong in words, and whether it is. Grey: not known. */
export const healthWords: Record<DeviceHealth["state"], readonly [string, "good" | "warn" | "quiet"]> = {
  no_sensor: ["The agent's sensors said nothing", "quiet"],
  no_antivirus: ["Antivirus not known", "quiet"],
  signatures_old: ["Antivirus signatures are old", "warn"],
  scan_failed: ["The last scan did not end", "warn"],
  signatures_unknown: ["Age of the signatures not known", "quiet"],
  never_scanned: ["No scan in 30 days", "quiet"],
  ok: ["Up to date", "good"],
};

function Scan({ f }: { f: ScanFact | null | undefined }) {
  if (!f) return <>Not known</>;
  return <><Ago at={f.at} />{f.failed ? `: ${f.failed}` : `, ${plural(f.files, "file")}, ${number(f.infected)} infected`}</>;
}

/** How the sensor and the antivirus program of a device are. */
export function HealthCard({ device }: { device: string }) {
  const s = useStyles();
  const { data: h } = useQuery(deviceHealth(device));
  const [words, tone] = h ? healthWords[h.state] : ["", "quiet" as const];
  return (
    <Card title="Device health status">
      {h && (
        <>
          <Chip tone={tone}>{words}</Chip>
          <div className={s.facts}>
            <Facts>
              <Fact name="Sensor">{h.sensor}</Fact>
              <Fact name="Sources of events">{h.sources.length > 0 ? <span title={h.sources.map((x) => `${x.name}: ${x.kinds.join(", ")}`).join("\n")}>{h.sources.map((x) => x.name).join(", ")}</span> : "Not known"}</Fact>
              <Fact name="Antivirus">{h.engine || h.antivirus || "Not known"}</Fact>
              <Fact name="Signatures">{h.signatures_at ? <><Ago at={h.signatures_at} />{h.signatures > 0 ? `, ${number(h.signatures)}` : ""}</> : "Not known"}</Fact>
              <Fact name="Last quick scan"><Scan f={h.quick_scan} /></Fact>
              <Fact name="Last full scan"><Scan f={h.full_scan} /></Fact>
              {h.other_scan && <Fact name="Last other scan"><Scan f={h.other_scan} /></Fact>}
            </Facts>
          </div>
          <p className={s.note}>
            {h.detections > 0 ? <Anchor to={`/devices/${encodeURIComponent(device)}/timeline`} search={{ action: "AntivirusDetection" }}>{`${plural(h.detections, "detection")} in ${h.days} days`}</Anchor> : `No detection in ${h.days} days.`}
          </p>
        </>
      )}
    </Card>
  );
}
