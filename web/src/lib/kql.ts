/** The text of a hunting query: its parts with their colours, what may be written at a place, and the cells of its result. */

export interface SchemaColumn {
  name: string;
  type: string;
  description: string;
  filled: boolean;
}
export interface SchemaTable {
  name: string;
  description: string;
  events: boolean;
  columns: readonly SchemaColumn[];
}
export interface SchemaWord {
  name: string;
  kind: string;
  arguments: string;
  description: string;
}
export interface Schema {
  tables: readonly SchemaTable[];
  words: readonly SchemaWord[];
}

export type TokenKind = "space" | "comment" | "text" | "number" | "table" | "column" | "operator" | "function" | "word" | "sign";

export interface Token {
  kind: TokenKind;
  text: string;
  at: number;
}

const pattern = /(\s+)|(\/\/[^\n]*)|([hH]?@"(?:[^"]|"")*"?|[hH]?@'(?:[^']|'')*'?|[hH]?"(?:\\.|[^"\\\n])*"?|[hH]?'(?:\\.|[^'\\\n])*'?)|(\d[\w.]*)|([A-Za-z_$][\w]*(?:-(?:away|rename|keep|reorder|expand|apply|nested|where|series|in|operator)\b)?)|(!?[^\s\w])/gy;

export interface Names {
  tables: ReadonlySet<string>;
  columns: ReadonlySet<string>;
  operators: ReadonlySet<string>;
  functions: ReadonlySet<string>;
}

const always = ["and", "or", "not", "by", "on", "kind", "asc", "desc", "nulls", "first", "last", "with", "let", "true", "false", "null", "in", "has", "contains", "startswith", "endswith", "between", "matches", "regex", "has_any", "has_all"];

/** The names that a schema gives, for colours. */
export function namesOf(s: Schema | undefined): Names {
  const words = s?.words ?? [];
  return {
    tables: new Set(s?.tables.map((t) => t.name)),
    columns: new Set(s?.tables.flatMap((t) => t.columns.map((c) => c.name))),
    operators: new Set([...always, ...words.filter((w) => w.kind === "operator").map((w) => w.name)]),
    functions: new Set(words.filter((w) => w.kind !== "operator").map((w) => w.name)),
  };
}

/** Cuts a query into parts; together they are the query. */
export function tokens(text: string, names: Names): Token[] {
  const out: Token[] = [];
  pattern.lastIndex = 0;
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const m = pattern.exec(text);
    if (!m || m[0] === "") {
      out.push({ kind: "sign", text: text.slice(from), at: from });
      break;
    }
    const word = m[5];
    let kind: TokenKind = m[1] !== undefined ? "space" : m[2] !== undefined ? "comment" : m[3] !== undefined ? "text" : m[4] !== undefined ? "number" : "sign";
    if (word !== undefined) kind = names.tables.has(word) ? "table" : names.operators.has(word) ? "operator" : names.functions.has(word) && /^\s*\(/.test(text.slice(pattern.lastIndex)) ? "function" : names.columns.has(word) ? "column" : "word";
    out.push({ kind, text: m[0], at: from });
  }
  return out;
}

export interface Completion {
  text: string;
  kind: "table" | "column" | "function" | "operator" | "name";
  detail: string;
  about: string;
}

const most = 50;

/** What may be written at a place: the word before it is replaced from `from` on. Nothing within texts and comments. */
export function completions(text: string, at: number, schema: Schema | undefined): { from: number; items: Completion[] } {
  const before = text.slice(0, at);
  const from = at - ((/(?<=\|\s*)[A-Za-z][\w-]*$/.exec(before) ?? /[\w$]*$/.exec(before))?.[0].length ?? 0); // names of operators have hyphens
  const none = { from, items: [] };
  if (!schema) return none;
  const parts = tokens(before, namesOf(schema));
  const last = parts[parts.length - 1];
  if (last?.kind === "comment" || (last?.kind === "text" && !closed(last.text)) || last?.kind === "number") return none;
  const word = text.slice(from, at).toLowerCase();
  const lead = before.slice(0, from).replace(/\s+$/, "");
  const tabular = lead === "" || /[;(]$/.test(lead) || /(?:^|[;|])\s*union\b[^|]*$/.test(lead) || /\bjoin\b[^|(]*\($/.test(lead);
  const items: Completion[] = [];
  const operators = () => {
    for (const w of schema.words) if (w.kind === "operator") items.push({ text: w.name, kind: "operator", detail: w.arguments, about: w.description });
  };
  if (lead.endsWith("|")) operators();
  else {
    const used = schema.tables.filter((t) => new RegExp(`\\b${t.name}\\b`).test(text));
    const seen = new Set<string>();
    if (!tabular || used.length > 0) {
      for (const t of used.length > 0 ? used : schema.tables) for (const c of t.columns) if (!seen.has(c.name)) {
        seen.add(c.name);
        items.push({ text: c.name, kind: "column", detail: c.type, about: c.description });
      }
      for (const m of text.matchAll(/\b([A-Za-z_]\w*)\s*=(?![=~])/g)) if (m[1] && !seen.has(m[1]) && m.index + m[1].length !== at) {
        seen.add(m[1]);
        items.push({ text: m[1], kind: "name", detail: "", about: "A name of this query." });
      }
    }
    if (tabular) for (const t of schema.tables) items.unshift({ text: t.name, kind: "table", detail: "", about: t.description });
    if (lead !== "") for (const w of schema.words) if (w.kind !== "operator") items.push({ text: w.name, kind: "function", detail: w.arguments, about: w.description });
  }
  const rank = (c: Completion): number => {
    const low = c.text.toLowerCase();
    return low.startsWith(word) ? 0 : low.includes(word) ? 1 : 2;
  };
  return { from, items: items.map((c, i) => ({ c, i, r: rank(c) })).filter((x) => x.r < 2 && x.c.text.toLowerCase() !== word).sort((a, b) => a.r - b.r || a.i - b.i).slice(0, most).map((x) => x.c) };
}

const closed = (t: string): boolean => {
  const body = t.replace(/^[hH]?@?/, "");
  return body.length > 1 && body.endsWith(body[0] ?? "");
};

/** The place in a text that a line and a column (from 1) name. */
export function placeOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let n = 1; n < line; n++) {
    const next = text.indexOf("\n", at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  return Math.min(text.length, at + Array.from(text.slice(at)).slice(0, column - 1).join("").length);
}

/** A cell of a result. */
export type Cell = string | number | boolean | null | object;

/** A value as the grid and the clipboard have it. */
export function cellText(v: Cell | undefined): string {
  if (v === null || v === undefined) return "";
  return typeof v === "object" ? JSON.stringify(v) : String(v);
}

/** The order of two cells; what has no value comes last in either direction. */
export function compareCells(a: Cell | undefined, b: Cell | undefined, down: boolean): number {
  const none = (v: Cell | undefined) => v === null || v === undefined || v === "";
  if (none(a) || none(b)) return Number(none(a)) - Number(none(b));
  const n = typeof a === "number" && typeof b === "number" ? a - b : cellText(a) < cellText(b) ? -1 : cellText(a) > cellText(b) ? 1 : 0;
  return down ? -n : n;
}

const quote = (v: string): string => `"${v.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;

/** A query for what happened on a device around an event. */
export function aroundQuery(device: string, table: string, time: string, fields: Readonly<Record<string, unknown>>): string {
  const at = `datetime(${time})`;
  const pid = fields.ProcessId ?? fields.InitiatingProcessId;
  const lines = [`let device = ${quote(device)};`, `let moment = ${at};`, "union DeviceProcessEvents, DeviceNetworkEvents, DeviceFileEvents, DeviceLogonEvents, DeviceImageLoadEvents, DeviceEvents", "| where DeviceId == device and Timestamp between (moment - 10m .. moment + 10m)"];
  if (typeof pid === "number") lines.push(`// of one process: | where ProcessId == ${pid} or InitiatingProcessId == ${pid}`);
  lines.push("| project Timestamp, ActionType, FileName, ProcessCommandLine, InitiatingProcessFileName, InitiatingProcessCommandLine, AccountName, RemoteIP, RemotePort, RemoteUrl", "| sort by Timestamp asc");
  return `// Around an event of ${table}\n${lines.join("\n")}`;
}

/** A query for the events of a file, an address, a host or a user on all devices. */
export function entityQuery(kind: "file" | "ip" | "domain" | "user", id: string): string {
  const v = quote(id);
  const sum = id.length === 40 ? "SHA1" : "SHA256";
  switch (kind) {
    case "file":
      return `union DeviceProcessEvents, DeviceFileEvents, DeviceImageLoadEvents, DeviceNetworkEvents\n| where ${sum} =~ ${v} or InitiatingProcess${sum} =~ ${v}\n| project Timestamp, DeviceName, ActionType, FileName, FolderPath, ProcessCommandLine, AccountName\n| sort by Timestamp desc`;
    case "ip":
      return `union DeviceNetworkEvents, DeviceLogonEvents\n| where RemoteIP == ${v}\n| project Timestamp, DeviceName, ActionType, RemoteIP, RemotePort, InitiatingProcessFileName, AccountName\n| sort by Timestamp desc`;
    case "domain":
      return `union DeviceNetworkEvents, DeviceEvents\n| where RemoteUrl =~ ${v} or RemoteUrl endswith ${quote(`.${id}`)}\n| project Timestamp, DeviceName, ActionType, RemoteUrl, RemoteIP, InitiatingProcessFileName\n| sort by Timestamp desc`;
    case "user":
      return `union DeviceLogonEvents, DeviceProcessEvents, DeviceEvents\n| where AccountName =~ ${v}\n| project Timestamp, DeviceName, ActionType, AccountName, LogonType, RemoteIP, FileName, ProcessCommandLine\n| sort by Timestamp desc`;
  }
}
