/** Hunting: the schema, saved queries, and runs whose answers come line by line. */
import { queryOptions } from "@tanstack/react-query";
import type { HuntColumn } from "../lib/huntChart";
import type { Cell } from "../lib/kql";
import { Problem, address, api, ok, toProblem } from "./client";
import type { HuntLine, HuntMistake, HuntQueryEdit, HuntStatistics } from "./schema";

export const huntSchema = queryOptions({ queryKey: ["hunting", "schema"], queryFn: ({ signal }) => ok(api.GET("/hunting/schema", { signal })), staleTime: 600_000 });
export const huntQueries = queryOptions({ queryKey: ["hunting", "queries"], queryFn: ({ signal }) => ok(api.GET("/hunting/queries", { signal })) });
export const saveHuntQuery = ({ id, ...body }: HuntQueryEdit & { id: string }) => ok(id === "" ? api.POST("/hunting/queries", { body }) : api.PUT("/hunting/queries/{id}", { params: { path: { id } }, body }));
export const deleteHuntQuery = (id: string) => ok(api.DELETE("/hunting/queries/{id}", { params: { path: { id } } }));
export const checkHunt = (query: string) => queryOptions({ queryKey: ["hunting", "check", query], queryFn: ({ signal }) => ok(api.POST("/hunting/check", { body: { query }, signal })), enabled: query.trim() !== "", staleTime: Infinity, retry: false });

/** What is wrong with a query, where it can be told. */
export class Mistake extends Error {
  constructor(readonly mistake: HuntMistake) {
    super(mistake.message);
    this.name = "Mistake";
  }
}

export interface HuntWatcher {
  schema: (columns: HuntColumn[], chart: string | undefined) => void;
  rows: (rows: Cell[][]) => void;
  progress: (s: HuntStatistics) => void;
  done: (s: HuntStatistics, notes: string[]) => void;
}

const post = (path: string, body: unknown, signal: AbortSignal) =>
  fetch(address(path), { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });

async function refused(r: Response): Promise<Error> {
  const body: unknown = await r.json().catch(() => undefined);
  const errors = (body as { errors?: { value?: HuntMistake }[] } | undefined)?.errors;
  const m = errors?.[0]?.value;
  return typeof m?.line === "number" ? new Mistake(m) : toProblem(r.status, body);
}

/** Runs a query; ending the signal ends it on the server too. An answer that breaks off is an error. */
export async function runHunt(body: { query: string; from?: string; limit: number }, signal: AbortSignal, watch: HuntWatcher): Promise<void> {
  const r = await post("/hunting/run", body, signal);
  if (!r.ok || !r.body) throw await refused(r);
  const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let whole = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      const line = JSON.parse(text) as HuntLine;
      switch (line.kind) {
        case "schema":
          watch.schema(line.columns ?? [], line.render?.chart);
          break;
        case "rows":
          watch.rows((line.rows ?? []) as Cell[][]);
          break;
        case "progress":
          if (line.statistics) watch.progress(line.statistics);
          break;
        case "done":
          whole = true;
          if (line.statistics) watch.done(line.statistics, line.notes ?? []);
          break;
        case "error":
          throw new Mistake(line.error ?? { line: 0, column: 0, length: 0, message: "The query ended with an error.", hint: "" });
      }
    }
  }
  if (!whole) throw new Problem(0, "The answer broke off", "The answer broke off: these are not all rows. Run the query again.");
}

/** The whole result as a file. */
export async function exportHunt(query: string, from: string | undefined, format: "csv" | "jsonl", signal: AbortSignal): Promise<{ name: string; data: Blob }> {
  const r = await post("/hunting/export", { query, from, format }, signal);
  if (!r.ok) throw await refused(r);
  const name = /filename="([^"]+)"/.exec(r.headers.get("Content-Disposition") ?? "")?.[1] ?? `hunting.${format}`;
  return { name, data: await r.blob() };
}
