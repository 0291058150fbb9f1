import { Button } from "@fluentui/react-components";
import { ShieldCheckmarkRegular } from "@fluentui/react-icons";
import type { FlyoutFrame } from "./ListView";

/** Opens the flyout's form for an exception. */
export function ExceptionButton({ frame }: { frame: FlyoutFrame }) {
  if (frame.view === "exception") return null;
  return <Button appearance="subtle" icon={<ShieldCheckmarkRegular />} onClick={() => frame.onView("exception")}>Exception options</Button>;
}
