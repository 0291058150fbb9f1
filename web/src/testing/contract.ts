/** What the API takes, as it describes itself. */
import { readFileSync } from "node:fs";

interface Parameter {
  name: string;
  schema: { enum?: string[]; items?: { enum?: string[] } };
}

const api = JSON.parse(readFileSync("../internal/api/openapi.golden.json", "utf8")) as { paths: Record<string, { get?: { parameters?: Parameter[] } }> };

/** Values of a query that its route does not take; `route` is as in the description: "/software/{id}/devices". */
export function notTaken(route: string, query: URLSearchParams): string[] {
  const known = api.paths[route]?.get?.parameters;
  if (!known) throw new Error(`the API has no GET ${route}`);
  return [...query].flatMap(([name, text]) => {
    const p = known.find((k) => k.name === name);
    if (!p) return [name];
    const values = p.schema.items?.enum ?? p.schema.enum;
    return values ? text.split(",").filter((v) => !values.includes(v)).map((v) => `${name}=${v}`) : [];
  });
}
