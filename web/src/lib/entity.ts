/** What is looked up across devices: files by hash, addresses, hosts, users. */

export interface EntityRef {
  kind: EntityKind;
  id: string;
}

export type EntityKind = "file" | "ip" | "domain" | "user";

export const entityWords: Record<EntityKind, { word: string; names: string; none: string }> = {
  file: { word: "File", names: "File names", none: "No device that you see has met this file." },
  ip: { word: "Address", names: "Programs that spoke to it", none: "No device that you see has spoken to this address." },
  domain: { word: "Host", names: "Programs that spoke to it", none: "No device that you see has asked for this host or spoken to it." },
  user: { word: "User", names: "What the account did", none: "No device that you see has met this user." },
};

export const isEntityKind = (v: string): v is EntityKind => v in entityWords;

const hash = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;
const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)$/i;

/** The host of a URL or of a host name; "" when it is an address. */
export function hostOf(text: string): string {
  const host = (text.replace(/^[^:/]+:\/\//, "").split(/[/?#]/)[0] ?? "").replace(/^.*@/, "").replace(/:\d+$/, "").replace(/\.$/, "").toLowerCase();
  return address.test(host) ? "" : host;
}

/** A user's name without its domain. */
export const accountOf = (text: string): string => text.slice(text.lastIndexOf("\\") + 1);

const byColumn: Record<string, EntityKind> = {
  SHA1: "file", SHA256: "file", InitiatingProcessSHA1: "file", InitiatingProcessSHA256: "file", "SHA-1": "file", "SHA-256": "file",
  RemoteIP: "ip", InitiatingProcessRemoteSessionIP: "ip", RemoteUrl: "domain", AccountName: "user", InitiatingProcessAccountName: "user", User: "user",
};

/** The entity that a value of a column, or a fact of the entities graph, names; undefined when it names none. */
export function entityOf(column: string, value: unknown): EntityRef | undefined {
  const kind = byColumn[column];
  return kind && typeof value === "string" ? entityRef(kind, value) : undefined;
}

/** The entity that a node of the entities graph is. */
export function entityOfNode(kind: string, name: string): EntityRef | undefined {
  const k = ({ ip: "ip", url: "domain", user: "user" } as Record<string, EntityKind>)[kind];
  return k && entityRef(k, name);
}

function entityRef(kind: EntityKind, value: string): EntityRef | undefined {
  switch (kind) {
    case "file":
      return hash.test(value) ? { kind, id: value.toLowerCase() } : undefined;
    case "ip":
      return address.test(value) ? { kind, id: value } : undefined;
    case "domain":
      return hostOf(value) === "" ? undefined : { kind, id: hostOf(value) };
    case "user":
      return accountOf(value) === "" ? undefined : { kind, id: accountOf(value) };
  }
}

export const entityPath = (e: EntityRef): string => `/entities/${e.kind}/${encodeURIComponent(e.id)}`;
