import { useQueryClient } from "@tanstack/react-query";
import { importVex } from "../../api/exchange";
import { Anchor } from "../../app/Anchor";
import { ImportForm } from "../../app/ImportForm";
import { plural } from "../../lib/format";
import { outcomeText } from "../../lib/vex";
import { Panel } from "../../ui/Panel";

/** Makes exceptions of documents about exploitability, beside their list. */
export function VexPanel({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  return (
    <Panel title="Import VEX" subtitle="What a document says is not affected, or fixed, becomes exceptions that hold while it says so." width={560} onClose={onClose}>
      <ImportForm
        most={64 * 1024 * 1024}
        accept=".json"
        hint="OpenVEX, CSAF VEX 2.0 or CycloneDX with vulnerabilities, as JSON, up to 64 MB each. Products are matched by package URL, never by name."
        send={async (file, o) => {
          const r = await importVex(file, o);
          void client.invalidateQueries();
          return r;
        }}
        shown={(r) => (
          <>
            <div><Anchor to="/remediation" search={{ tab: "vex", open: r.id }}>{r.title || r.document}</Anchor></div>
            <div>{`By ${r.author}`}</div>
            <div>{`${outcomeText(r)} ${plural(r.exceptions, "exception")} ${r.exceptions === 1 ? "holds" : "hold"} because of it.`}</div>
            {r.problem && <div>{r.problem}</div>}
          </>
        )}
      />
    </Panel>
  );
}
