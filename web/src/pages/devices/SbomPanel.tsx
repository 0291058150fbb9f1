import { useQueryClient } from "@tanstack/react-query";
import { importSbom } from "../../api/exchange";
import { Anchor } from "../../app/Anchor";
import { ImportForm } from "../../app/ImportForm";
import { plural } from "../../lib/format";
import { Panel } from "../../ui/Panel";

/** Makes devices of bills of materials, beside the list of devices. */
export function SbomPanel({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  return (
    <Panel title="Import SBOM" subtitle="A bill of materials becomes a device without an agent, judged by the same rules as all others." width={560} onClose={onClose}>
      <ImportForm
        most={64 * 1024 * 1024}
        accept=".json,.xml,.spdx,.cdx,.tv,.txt"
        hint="CycloneDX 1.4 to 1.7 (JSON, XML) or SPDX 2.3 (JSON, tag-value), as Syft, Trivy and others write them, up to 64 MB each."
        name={{ label: "Device name", hint: "Optional, for one file. It is the device's identity: the next document with this name replaces this one. Without it both come from the document's subject." }}
        send={async (file, o) => {
          const r = await importSbom(file, o);
          void client.invalidateQueries();
          return r;
        }}
        shown={(r) => (
          <>
            <div><Anchor to={`/devices/${r.device}`}>{r.name}</Anchor></div>
            <div>{`It ${r.new ? "is a new device" : "is up to date"} with ${plural(r.packages, "package")}.`}</div>
            {r.unread > 0 && <div>{`${plural(r.unread, "component")} could not be read: ${r.reasons ?? ""}`}</div>}
          </>
        )}
      />
    </Panel>
  );
}
