import { tokens } from "@fluentui/react-components";
import { encode } from "uqr";

/** A text as a QR code, always dark on white: cameras want it so. */
export function QRCode({ text, label }: { text: string; label: string }) {
  const { size, data } = encode(text, { ecc: "M", border: 4 });
  const path = data.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")).join("")).join("");
  return (
    <svg role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} width={220} height={220} shapeRendering="crispEdges" style={{ alignSelf: "center", borderRadius: tokens.borderRadiusMedium, forcedColorAdjust: "none" }}>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
