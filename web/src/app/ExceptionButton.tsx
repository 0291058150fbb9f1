import { ShieldCheckmarkRegular } from "@fluentui/react-icons";
import type { FlyoutFrame } from "./ListView";
import { MayButton } from "./MayButton";

/** Opens the flyout's form for an exception. */
export function ExceptionButton({ frame }: { frame: FlyoutFrame }) {
  if (frame.view === "exception") return null;
  return <MayButton rights={["remediate.exceptions"]} appearance="subtle" icon={<ShieldCheckmarkRegular />} onClick={() => frame.onView("exception")}>Exception options</MayButton>;
}
