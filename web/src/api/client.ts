/** Talks to the server; what it refuses becomes an error. */
import createClient from "openapi-fetch";
import { selected } from "../lib/groups";
import type { paths } from "./schema.gen";

const base = "/api/x";

/** The typed client: paths, parameters and bodies are those of the server's own description. */
export const api = createClient<paths>({ baseUrl: base, credentials: "same-origin" });

// Whatever is read is about the device groups that the page's address names.
api.use({
  onRequest: ({ request }) => {
    const group = selected(window.location.search);
    if (group === "" || request.method !== "GET") return undefined;
    const url = new URL(request.url);
    url.searchParams.set("group", group);
    return new Request(url, request);
  },
});

/** What the server answered when it could not do what was asked (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly fields: readonly { message: string; location?: string }[] = [],
  ) {
    super(detail || title);
    this.name = "Problem";
  }
}

/** What went wrong, in a sentence for people. */
export function explain(err: unknown): string {
  if (err instanceof Problem) {
    const fields = err.fields.map((f) => (f.location ? `${f.location}: ${f.message}` : f.message)).join("; ");
    return fields ? `${err.message}: ${fields}` : err.message;
  }
  if (err instanceof TypeError) return "The server cannot be reached. It may be starting again; this page tries on.";
  return err instanceof Error ? err.message : String(err);
}

/** The problem that an answer with an error status describes, whatever its body is. */
export function toProblem(status: number, body: unknown): Problem {
  const b = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const word = (v: unknown): string => (typeof v === "string" ? v : "");
  const fields = Array.isArray(b.errors) ? (b.errors as Record<string, unknown>[]).map((e) => ({ message: word(e.message), location: word(e.location) || undefined })) : [];
  return new Problem(status, word(b.title) || `The server answered with status ${status}`, word(b.detail), fields);
}

/** The data of an answer, or its problem as an error. */
export async function ok<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw toProblem(response.status, error);
  return data as T;
}

/** The address of a path of the console API with its query and, unless the query names others, the selected device groups, for links. */
export function address(path: string, query: Readonly<Record<string, string>> = {}): string {
  const group = selected(window.location.search);
  const text = new URLSearchParams({ ...(group === "" ? {} : { group }), ...query }).toString();
  return `${base}${path}${text ? `?${text}` : ""}`;
}
