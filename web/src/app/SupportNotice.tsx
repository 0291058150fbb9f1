import { MessageBar, MessageBarBody, MessageBarTitle, makeStyles } from "@fluentui/react-components";
import type { Recommendation } from "../api/schema";
import { plural } from "../lib/format";
import { productPath } from "../lib/product";
import { releaseName, support } from "../lib/words";
import { Anchor } from "./Anchor";

const useStyles = makeStyles({ bar: { marginBottom: "16px", height: "auto", minHeight: "max-content" }, line: { margin: "4px 0 0", overflowWrap: "anywhere" } });

/** Which release lines on devices are no longer supported, or will not be soon, with the way to the versions; product "" has none. */
export function SupportNotice({ lines, product }: { lines: Recommendation["lines"]; product: string }) {
  const s = useStyles();
  const ended = lines.some((l) => l.ended);
  return (
    <MessageBar className={s.bar} intent={ended ? "error" : "warning"} layout="multiline">
      <MessageBarBody>
        <MessageBarTitle>{ended ? "No longer supported" : "Support ends soon"}</MessageBarTitle>
        {lines.map((l) => <p key={releaseName(l)} className={s.line}>{`${releaseName(l)}: ${support(l)}, on ${plural(l.devices, "device")}`}</p>)}
        {product !== "" && <p className={s.line}><Anchor to={productPath(product, "versions")}>Version distribution</Anchor></p>}
      </MessageBarBody>
    </MessageBar>
  );
}
