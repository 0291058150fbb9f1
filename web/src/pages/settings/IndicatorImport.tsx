import { useQueryClient } from "@tanstack/react-query";
import { importIndicators, type LineResult } from "../../api/indicators";
import { deviceGroups } from "../../api/queries";
import { ImportForm } from "../../app/ImportForm";
import { plural } from "../../lib/format";
import { readIndicators } from "../../lib/indicators";
import { Panel } from "../../ui/Panel";
import { PlainTable } from "../../ui/PlainTable";

const most = 20_000_000; // bytes; more indicators than may be active at once have no more
const shownLines = 500;

/** Takes CSV files of indicators and tells of each line what became of it. */
export function IndicatorImport({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const send = async (file: File, progress: (part: number) => void): Promise<LineResult[]> => {
    const { good, wrong } = readIndicators(await file.text(), await client.query(deviceGroups));
    const taken = good.length === 0 ? [] : await importIndicators(good, progress);
    await client.invalidateQueries({ queryKey: ["indicators"] });
    return [...taken, ...wrong].sort((a, b) => a.line - b.line);
  };
  return (
    <Panel title="Import indicators" width={640} onClose={onClose}>
      <ImportForm<LineResult[]>
        most={most}
        accept=".csv,text/csv"
        hint={<>CSV whose first line names the columns: <code>type</code>, <code>value</code>, <code>action</code>, <code>title</code>, <code>description</code>, and as you like <code>severity</code>, <code>expires_at</code>, <code>recommended_actions</code>, <code>device_groups</code>, <code>external_id</code>. The file of the Defender portal is taken as it is. An indicator of the same type and value is changed.</>}
        send={(file, o) => send(file, o.progress)}
        shown={(lines) => {
          const refused = lines.filter((l) => l.error !== "");
          const list = [...refused, ...lines.filter((l) => l.error === "")].slice(0, shownLines).sort((a, b) => a.line - b.line);
          return (
            <>
              <div>{`${plural(lines.length - refused.length, "line")} taken, ${refused.length} refused.`}</div>
              {list.length > 0 && (
                <PlainTable
                  label="What became of each line"
                  rows={list}
                  rowKey={(l) => String(l.line)}
                  columns={[
                    { key: "line", title: "Line", width: "56px", render: (l) => l.line },
                    { key: "value", title: "Value", render: (l) => l.value },
                    { key: "error", title: "Result", render: (l) => (l.error === "" ? "Taken" : `Refused: ${l.error}`) },
                  ]}
                />
              )}
              {lines.length > list.length && <div>{`${lines.length - list.length} further lines are not shown: those that were refused come first.`}</div>}
            </>
          );
        }}
      />
    </Panel>
  );
}
