/** Documents in: they travel as they are, not as JSON of the API. */
import { address, toProblem } from "./client";
import type { components } from "./schema.gen";

type S = components["schemas"];
export type SbomImported = S["SBOMImported"];

async function send<T>(path: string, file: File, query: Readonly<Record<string, string>>): Promise<T> {
  const r = await fetch(address(path, query), { method: "POST", body: file, credentials: "same-origin", headers: { "Content-Type": "application/octet-stream" } });
  const body: unknown = await r.json().catch(() => undefined);
  if (!r.ok) throw toProblem(r.status, body);
  return body as T;
}

/** Imports a bill of materials. */
export const importSbom = (file: File, { name, force }: { name: string; force: boolean }): Promise<SbomImported> =>
  send("/sbom", file, { ...(name && { name }), ...(force && { force: "true" }) });
