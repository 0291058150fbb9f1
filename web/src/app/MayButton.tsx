import { Button, type ButtonProps } from "@fluentui/react-components";
import { useMay, type Right } from "./useMay";

/** A button for what takes one of some rights. Without them it can be reached and says why it does nothing. */
export function MayButton({ rights, ...p }: ButtonProps & { as?: "button"; rights: readonly Right[] }) {
  const { may, why } = useMay(...rights);
  return may ? <Button {...p} /> : <Button {...p} title={why} disabled={false} disabledFocusable />;
}
