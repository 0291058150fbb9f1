import { makeStyles } from "@fluentui/react-components";
import { PageHead } from "../../app/PageHead";
import { ApprovalRules } from "./ApprovalRules";
import { LockdownCard } from "./LockdownCard";

const useStyles = makeStyles({ cards: { display: "flex", flexDirection: "column", gap: "16px", maxWidth: "960px", marginTop: "16px" } });

/** Settings › Approvals and lockdown. */
export function ApprovalRulesPage() {
  const s = useStyles();
  return (
    <PageHead scroll title="Approvals and lockdown" text="Which actions on devices somebody else has to approve first, and the switch that forbids them all.">
      <div className={s.cards}>
        <LockdownCard />
        <ApprovalRules />
      </div>
    </PageHead>
  );
}
