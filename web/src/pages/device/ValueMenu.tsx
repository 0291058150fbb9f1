import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { ChevronDownRegular } from "@fluentui/react-icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { device, setDeviceValue } from "../../api/queries";
import type { Device } from "../../api/schema";
import { useMay } from "../../app/useMay";
import { valueMeans, values, type DeviceValue } from "../../lib/exposure";
import { Menu } from "../../ui/Menu";

const useStyles = makeStyles({
  button: { minWidth: 0, paddingLeft: "8px", marginLeft: "-8px" },
  head: { maxWidth: "260px", whiteSpace: "normal", fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  wrong: { color: tokens.colorStatusDangerForeground1, fontSize: tokens.fontSizeBase200 },
});

/** What a device is worth, and the menu that changes it. What is shown is what the server holds. */
export function ValueMenu({ d }: { d: Device }) {
  const s = useStyles();
  const client = useQueryClient();
  const { may, why } = useMay("alerts.investigate", "settings.security");
  const set = useMutation({
    mutationFn: (v: DeviceValue) => setDeviceValue(d.id, v),
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: device(d.id).queryKey }), client.invalidateQueries({ queryKey: ["scores"] })]),
  });
  const now = values.find((v) => v === d.value) ?? "Normal";
  if (!may) return <span title={why}>{now}</span>;
  return (
    <>
      <Menu
        label="Device value"
        head={<div className={s.head}>{`${now}: ${valueMeans[now]}`}</div>}
        entries={values.map((v) => ({ kind: "choice", key: v, text: v, checked: v === now, onSelect: () => { if (v !== now) set.mutate(v); } }))}
        trigger={(t) => (
          <Button {...t} className={s.button} size="small" appearance="subtle" icon={<ChevronDownRegular />} iconPosition="after" disabled={set.isPending} aria-label={`Device value: ${now}`} title={valueMeans[now]}>{now}</Button>
        )}
      />
      {set.error && <div className={s.wrong} role="alert">{explain(set.error)}</div>}
    </>
  );
}
