/** Documents in: they travel as they are, not as JSON of the API. Documents about exploitability: what came of them. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { address, api, ok, toProblem } from "./client";
import type { components } from "./schema.gen";

type S = components["schemas"];
type Query = Record<string, string>;
export type SbomImported = S["SBOMImported"];
export type VexRow = S["VEXRow"];
export type VexDocument = S["VEXDocument"];
export type VexStatement = S["VEXStatement"];
export type VexRemoval = S["VEXRemoval"];

/** How a document is sent, and who is told how much of it has left, from 0 to 1. */
export interface Sending {
  name: string;
  force: boolean;
  progress: (part: number) => void;
}

/** Sends a file. It is no fetch because that tells nobody how far an upload is. */
function send<T>(path: string, file: File, query: Readonly<Record<string, string>>, progress: (part: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open("POST", address(path, query));
    x.setRequestHeader("Content-Type", "application/octet-stream");
    x.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    x.onerror = () => reject(new TypeError("network"));
    x.onload = () => {
      let body: unknown;
      try {
        body = JSON.parse(x.responseText);
      } catch {
        body = undefined; // whatever stands between may answer something else
      }
      if (x.status >= 200 && x.status < 300) resolve(body as T);
      else reject(toProblem(x.status, body));
    };
    x.send(file);
  });
}

/** Imports a bill of materials. */
export const importSbom = (file: File, { name, force, progress }: Sending): Promise<SbomImported> =>
  send("/sbom", file, { ...(name && { name }), ...(force && { force: "true" }) }, progress);

/** Imports a document about exploitability. */
export const importVex = (file: File, { force, progress }: Sending): Promise<VexDocument> => send("/vex", file, { ...(force && { force: "true" }) }, progress);

// What came of documents follows the scores: it is below their key.
export const vexDocuments = (q: Query) =>
  queryOptions({ queryKey: ["scores", "vex", q], queryFn: ({ signal }) => ok(api.GET("/vex", { params: { query: q as never }, signal })), placeholderData: keepPreviousData });
export const vexDocument = (id: string) =>
  queryOptions({ queryKey: ["scores", "vex", "one", id], queryFn: ({ signal }) => ok(api.GET("/vex/{id}", { params: { path: { id } }, signal })) });
export const vexStatements = (id: string, q: Query) =>
  queryOptions({
    queryKey: ["scores", "vex", "one", id, "statements", q],
    queryFn: ({ signal }) => ok(api.GET("/vex/{id}/statements", { params: { path: { id }, query: q as never }, signal })),
    placeholderData: keepPreviousData,
  });
/** What would come back without a document. */
export const vexRemoval = (id: string) =>
  queryOptions({ queryKey: ["scores", "vex", "one", id, "removal"], queryFn: ({ signal }) => ok(api.GET("/vex/{id}/removal", { params: { path: { id } }, signal })) });
export const removeVex = (id: string) => ok(api.DELETE("/vex/{id}", { params: { path: { id } } }));

/** What would disappear with a device without an agent. */
export const deviceRemoval = (id: string) =>
  queryOptions({ queryKey: ["device", id, "removal"], queryFn: ({ signal }) => ok(api.GET("/devices/{id}/removal", { params: { path: { id } }, signal })) });
export const removeDevice = (id: string) => ok(api.DELETE("/devices/{id}", { params: { path: { id } } }));
