import { Button } from "@fluentui/react-components";
import { ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useState } from "react";
import { ExceptionForm } from "../../app/ExceptionForm";
import { Panel } from "../../ui/Panel";

/** Opens the form for an exception about a product, in a panel of its own. */
export function ProductException({ id, name }: { id: string; name: string }) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <Button appearance="subtle" icon={<ShieldCheckmarkRegular />} onClick={() => setOpen(true)}>Exception options</Button>
      {open && <Panel title="Exception options" label="Exception options" subtitle={name} onClose={close}><ExceptionForm about={{ product: id }} versions onDone={close} /></Panel>}
    </>
  );
}
