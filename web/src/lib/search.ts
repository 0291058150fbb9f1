/**
 * The URL is the state of a list: `?exposed=true&q=ssl&severity=Critical,High&sort=-cvss&open=CVE-2024-1`.
 * Values are comma-joined, "-" means descending, defaults are left out, keys are
 * sorted. The same names go to the API.
 */

/** What one list understands. */
export interface ListSpec {
  /** Filter name → allowed values, or "any" for an open set of values. */
  filters: Readonly<Record<string, readonly string[] | "any">>;
  /** Sort keys that the server knows. */
  sorts: readonly string[];
  /** Order when the URL names none. */
  sort: readonly string[];
  /** Filters that hold when the URL names none; `name=any` lifts one. */
  defaults?: Readonly<Record<string, readonly string[]>>;
  /** Further keys of the page that are kept as they are (a flyout's tab). */
  extra?: readonly string[];
}

export interface ListState {
  q: string;
  filters: Record<string, string[]>;
  sort: string[];
  page: number;
  size: number;
  /** The row whose flyout is shown, "" for none. */
  open: string;
  /** The flyout's tab, "" for the first. */
  view: string;
}

export type RawSearch = Record<string, string>;

export const pageSizes = [30, 50, 100] as const;
const lifted = "any";
const reserved = new Set(["q", "sort", "page", "size", "open", "view", "group", "center"]); // group and center are of the frames of pages

const split = (v: string | undefined): string[] => [...new Set((v ?? "").split(",").map((s) => decode(s.trim())).filter((s) => s !== ""))];
const encode = (v: string): string => v.replace(/[%,]/g, (c) => (c === "," ? "%2C" : "%25"));
const decode = (v: string): string => v.replace(/%2C/g, ",").replace(/%25/g, "%");

/** A value of a filter as the URL holds it. */
export const filterValue = encode;

/** Reads a list's state. It never throws: what it does not understand is dropped and named in `dropped`. */
export function parseList(spec: ListSpec, raw: RawSearch, size: number): { state: ListState; dropped: string[] } {
  const dropped: string[] = [];
  const filters: Record<string, string[]> = {};
  for (const [name, allowed] of Object.entries(spec.filters)) {
    const given = raw[name];
    if (given === undefined) {
      const held = spec.defaults?.[name];
      if (held) filters[name] = [...held];
      continue;
    }
    const values = split(given);
    if (spec.defaults?.[name] && values.length === 1 && values[0] === lifted) continue;
    const good = allowed === "any" ? values : values.filter((v) => allowed.includes(v));
    for (const v of values) if (!good.includes(v)) dropped.push(`${name}=${v}`);
    if (good.length > 0) filters[name] = good;
  }
  const sort = split(raw.sort).filter((k) => {
    const ok = spec.sorts.includes(k.replace(/^-/, ""));
    if (!ok) dropped.push(`sort=${k}`);
    return ok;
  });
  const number = (name: "page" | "size", otherwise: number, ok: (n: number) => boolean): number => {
    const text = raw[name];
    if (text === undefined) return otherwise;
    const n = Number(text);
    if (Number.isInteger(n) && ok(n)) return n;
    dropped.push(`${name}=${text}`);
    return otherwise;
  };
  const page = number("page", 1, (n) => n >= 1 && n <= 1_000_000);
  const rows = number("size", size, (n) => (pageSizes as readonly number[]).includes(n));
  for (const k of Object.keys(raw)) {
    if (!(k in spec.filters) && !reserved.has(k) && !spec.extra?.includes(k)) dropped.push(`${k}=${raw[k] ?? ""}`);
  }
  return {
    state: { q: raw.q ?? "", filters, sort: sort.length > 0 ? sort : [...spec.sort], page, size: rows, open: raw.open ?? "", view: raw.view ?? "" },
    dropped,
  };
}

/** Writes a list's state; the inverse of parseList for every state that the list can be in. */
export function formatList(spec: ListSpec, s: ListState, size: number): RawSearch {
  const out: RawSearch = {};
  if (s.q !== "") out.q = s.q;
  for (const name of Object.keys(spec.filters)) {
    const values = s.filters[name] ?? [];
    const held = spec.defaults?.[name];
    if (held && same(values, held)) continue;
    if (values.length > 0) out[name] = values.map(encode).join(",");
    else if (held) out[name] = lifted;
  }
  if (!same(s.sort, spec.sort)) out.sort = s.sort.join(",");
  if (s.page > 1) out.page = String(s.page);
  if (s.size !== size) out.size = String(s.size);
  if (s.open !== "") out.open = s.open;
  if (s.view !== "") out.view = s.view;
  return out;
}

/** The query of the API for the rows of a state; `paged` false for exports, which take all rows. */
export function apiQuery(s: ListState, paged: boolean): RawSearch {
  const out: RawSearch = {};
  if (s.q !== "") out.q = s.q;
  for (const [name, values] of Object.entries(s.filters)) if (values.length > 0) out[name] = values.map((v) => v.replaceAll(",", "%2C")).join(",");
  if (s.sort.length > 0) out.sort = s.sort.join(",");
  if (paged) {
    out.page = String(s.page);
    out.size = String(s.size);
  }
  return out;
}

/** The query string of a search, keys sorted, commas and colons readable. */
export function stringify(search: Readonly<Record<string, unknown>>): string {
  const parts = Object.keys(search)
    .sort()
    .filter((k) => typeof search[k] === "string" && search[k] !== "")
    .map((k) => `${escape(k)}=${escape(search[k] as string)}`);
  return parts.length > 0 ? `?${parts.join("&")}` : "";
}

const escape = (v: string): string => encodeURIComponent(v).replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/").replace(/%40/g, "@");

/** Reads a query string; of a repeated key the values are joined. */
export function parse(text: string): RawSearch {
  const out: RawSearch = {};
  for (const [k, v] of new URLSearchParams(text)) out[k] = k in out ? `${out[k] ?? ""},${v}` : v;
  return out;
}

/** The order after a click on a column's header; `add` keeps the other columns (Shift). */
export function nextSort(sort: readonly string[], key: string, add: boolean, first: "asc" | "desc"): string[] {
  const have = sort.find((k) => k === key || k === `-${key}`);
  const next = have === undefined ? (first === "desc" ? `-${key}` : key) : have.startsWith("-") ? key : `-${key}`;
  if (!add) return [next];
  return have === undefined ? [...sort, next] : sort.map((k) => (k === have ? next : k));
}

/** Adds a value to a filter or takes it away. */
export function toggle(values: readonly string[], value: string): string[] {
  return values.includes(value) ? values.filter((v) => v !== value) : [...values, value];
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
