import { Checkbox, Input, makeStyles, tokens } from "@fluentui/react-components";
import { SearchRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { explain } from "../api/client";
import { devices } from "../api/queries";
import { number, plural } from "../lib/format";

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, padding: "4px 8px" },
  list: { display: "flex", flexDirection: "column", maxHeight: "200px", overflowY: "auto" },
  quiet: { display: "block", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

/** A device that was picked. */
export interface Picked {
  id: string;
  name: string;
}

/** How many devices a request may name. */
const mostDevices = 1000;
const shown = 20;

/** A choice of devices by search; those that are chosen stand above what is found. */
export function DeviceChoice({ chosen, onChoose }: { chosen: readonly Picked[]; onChoose: (list: Picked[]) => void }) {
  const s = useStyles();
  const [text, setText] = useState("");
  const q = useDeferredValue(text.trim());
  const { data, error } = useQuery({ ...devices({ q, size: String(shown) }), enabled: q !== "" });
  const found = q === "" ? [] : (data?.items ?? []).filter((d) => !chosen.some((c) => c.id === d.id));
  const full = chosen.length >= mostDevices;
  return (
    <div role="group" aria-label="Devices" className={s.root}>
      {chosen.length > 0 && (
        <>
          <span className={s.quiet} role="status">{`${plural(chosen.length, "device")} chosen${full ? ", which is the most" : ""}`}</span>
          <div className={s.list}>
            {chosen.map((c) => <Checkbox key={c.id} label={c.name} title={c.id} checked onChange={() => onChoose(chosen.filter((x) => x.id !== c.id))} />)}
          </div>
        </>
      )}
      <Input type="search" aria-label="Search devices" placeholder="Search devices by name, address or id" contentBefore={<SearchRegular aria-hidden />} value={text} maxLength={200} onChange={(_, d) => setText(d.value)} />
      <div className={s.list}>
        {found.map((d) => <Checkbox key={d.id} label={d.name} title={d.id} checked={false} disabled={full} onChange={() => onChoose([...chosen, { id: d.id, name: d.name }])} />)}
      </div>
      {q !== "" && error && !data && <span className={s.quiet}>{explain(error)}</span>}
      {q !== "" && data?.total === 0 && <span className={s.quiet}>No device matches.</span>}
      {q !== "" && data && data.total > shown && <span className={s.quiet}>{`${number(data.total)} devices match, the first ${shown} are shown.`}</span>}
    </div>
  );
}
