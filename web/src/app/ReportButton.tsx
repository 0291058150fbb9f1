import { FlagRegular } from "@fluentui/react-icons";
import { Suspense, lazy, useState } from "react";
import { MayButton } from "./MayButton";

const ReportForm = lazy(() => import("./ReportForm").then((m) => ({ default: m.ReportForm })));

export type ReportKind = "software" | "weakness" | "recommendation";

/** Opens the form in which a person reports something as inaccurate. */
export function ReportButton({ kind, subject, name }: { kind: ReportKind; subject: string; name: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <MayButton rights={["view.vulnerability-management", "settings.security"]} appearance="subtle" icon={<FlagRegular />} onClick={() => setOpen(true)}>Report inaccuracy</MayButton>
      {open && <Suspense fallback={null}><ReportForm kind={kind} subject={subject} name={name} onClose={() => setOpen(false)} /></Suspense>}
    </>
  );
}
