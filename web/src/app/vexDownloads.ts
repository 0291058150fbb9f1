import type { MenuEntry } from "../ui/Menu";

/** The formats in which statements go out, as entries of a menu. */
export const vexDownloads = (href: (format: string) => string): MenuEntry[] => [
  { kind: "download", key: "openvex", text: "VEX, OpenVEX 0.2.0", href: href("openvex") },
  { kind: "download", key: "csaf", text: "VEX, CSAF 2.0", href: href("csaf") },
  { kind: "download", key: "vex-cyclonedx", text: "VEX, CycloneDX 1.6", href: href("cyclonedx") },
];
