/** Indicators: values that raise alerts where they occur. */
import { queryOptions } from "@tanstack/react-query";
import type { IndicatorLine } from "../lib/indicators";
import type { RawSearch } from "../lib/search";
import { Problem, api, ok } from "./client";
import { list } from "./queries";
import type { IndicatorEdit } from "./schema";

export const indicators = (q: RawSearch) => list(["indicators"], q, (query, signal) => api.GET("/indicators", { params: { query }, signal }));
export const indicator = (id: string) => queryOptions({ queryKey: ["indicators", "one", id], queryFn: ({ signal }) => ok(api.GET("/indicators/{id}", { params: { path: { id } }, signal })) });
export const createIndicator = (body: IndicatorEdit) => ok(api.POST("/indicators", { body }));
export const changeIndicator = (id: string, body: IndicatorEdit) => ok(api.PUT("/indicators/{id}", { params: { path: { id } }, body }));
export const deleteIndicator = (id: string) => ok(api.DELETE("/indicators/{id}", { params: { path: { id } } }));

const most = 500; // of one request
const mostBytes = 1_500_000;

/** What became of a line of a file; `error` is "" when it was taken. */
export interface LineResult { line: number; value: string; error: string }

/** Parts of so many lines and bytes as one request may have. */
function parts(lines: readonly IndicatorLine[]): IndicatorLine[][] {
  const out: IndicatorLine[][] = [];
  let size = 0;
  for (const l of lines) {
    const n = JSON.stringify(l.edit).length * 2;
    const last = out.at(-1);
    if (last && last.length < most && size + n <= mostBytes) last.push(l);
    else {
      out.push([l]);
      size = 0;
    }
    size += n;
  }
  return out;
}

/** Sends one part. Lines whose form is refused are taken out, told of, and the rest is sent. */
async function send(lines: readonly IndicatorLine[]): Promise<LineResult[]> {
  if (lines.length === 0) return [];
  try {
    const told = await ok(api.POST("/indicators/import", { body: { indicators: lines.map((l) => l.edit) } }));
    return lines.map((l, i) => ({ line: l.line, value: l.edit.value, error: told[i] ? told[i].error : "The server said nothing of it." }));
  } catch (err) {
    const wrong = new Map<number, string>();
    if (err instanceof Problem && err.status === 422) {
      for (const f of err.fields) {
        const at = /indicators\[(\d+)\]\.?(.*)$/.exec(f.location ?? "");
        if (at) wrong.set(Number(at[1]), `${at[2] ?? ""} ${f.message}`.trim());
      }
    }
    if (wrong.size === 0) throw err;
    return [...lines.flatMap((l, i) => (wrong.has(i) ? [{ line: l.line, value: l.edit.value, error: wrong.get(i) ?? "" }] : [])), ...(await send(lines.filter((_, i) => !wrong.has(i))))];
  }
}

/** Sends the lines of a file and tells of each what became of it, in the order of the file. */
export async function importIndicators(lines: readonly IndicatorLine[], progress: (part: number) => void): Promise<LineResult[]> {
  const out: LineResult[] = [];
  for (const part of parts(lines)) {
    try {
      out.push(...(await send(part)));
    } catch (err) {
      if (out.length === 0) throw err; // nothing was taken
      const error = err instanceof Error ? err.message : String(err);
      out.push(...part.map((l) => ({ line: l.line, value: l.edit.value, error })));
    }
    progress(out.length / lines.length);
  }
  return out.sort((a, b) => a.line - b.line);
}
