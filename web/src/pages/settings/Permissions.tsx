import { Checkbox, makeStyles, tokens } from "@fluentui/react-components";
import { useId } from "react";

const useStyles = makeStyles({
  list: { display: "grid", gridTemplateColumns: "1fr", margin: "0 -8px" },
  label: { marginBottom: "2px" },
  later: { margin: "10px 0 0", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
});

/** What each permission opens, in a few words. */
const means: Record<string, string> = {
  "Machine.Read.All": "devices, groups and tags",
  "Machine.ReadWrite.All": "… and change tags, values, SBOM devices",
  "Software.Read.All": "software inventory, missing updates",
  "Vulnerability.Read.All": "weaknesses, findings, events, exports",
  "SecurityRecommendation.Read.All": "recommendations, exceptions, plans",
  "SecurityRecommendation.ReadWrite.All": "save and delete patch plans",
  "RemediationTasks.Read.All": "remediation activities",
  "RemediationTasks.ReadWrite.All": "… and request, complete, re-open them",
  "Score.Read.All": "exposure and secure scores",
  "AdvancedQuery.Read.All": "advanced hunting, in every table",
};

/** Chooses permissions. Those that open nothing yet stay as they are. */
export function PermissionField({ all, chosen, onChange }: { all: readonly string[]; chosen: readonly string[]; onChange: (list: string[]) => void }) {
  const s = useStyles();
  const id = useId();
  const rest = chosen.filter((p) => !all.includes(p));
  return (
    <div role="group" aria-labelledby={id}>
      <div id={id} className={s.label}>Permissions</div>
      <div className={s.list}>
        {all.map((p) => (
          <Checkbox key={p} checked={chosen.includes(p)} label={means[p] ? `${p}: ${means[p]}` : p} onChange={(_, d) => onChange(d.checked === true ? [...chosen, p] : chosen.filter((c) => c !== p))} />
        ))}
      </div>
      {rest.length > 0 && <p className={s.later}>{`It also holds ${rest.length} permissions that open nothing in this version.`}</p>}
    </div>
  );
}
