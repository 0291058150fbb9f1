import { Checkbox, makeStyles, tokens } from "@fluentui/react-components";
import type { RemediationForm } from "../api/schema";
import { kindWord } from "../lib/remediation";
import { toggle } from "../lib/search";
import { Anchor } from "./Anchor";

const useStyles = makeStyles({
  boxes: { display: "flex", flexDirection: "column" },
  hint: { margin: 0, color: tokens.colorNeutralForeground2, "& a": { textDecorationLine: "underline" } },
  group: { border: "none", margin: 0, padding: 0 },
  legend: { padding: 0, marginBottom: "2px" },
});

/** Where tickets are opened for work that is asked for. */
export function TicketChoice({ title, places, to, onChange }: { title: string; places: RemediationForm["destinations"]; to: readonly string[]; onChange: (to: string[]) => void }) {
  const s = useStyles();
  return (
    <fieldset className={s.group}>
      <legend className={s.legend}>{title}</legend>
      {places.length === 0 ? (
        <p className={s.hint}>No place for tickets is set up: the work is just tracked. Webhook, e-mail, Jira, GitHub and ServiceNow are under <Anchor to="/settings/ticketing">Settings › Ticketing</Anchor>.</p>
      ) : (
        <div className={s.boxes}>
          {places.map((d) => <Checkbox key={d.id} label={`${d.name} (${kindWord(d.kind)})`} checked={to.includes(d.id)} onChange={() => onChange(toggle(to, d.id))} />)}
        </div>
      )}
    </fieldset>
  );
}
