export const indicatorTypes = { FileSha256: "File (SHA-256)", FileSha1: "File (SHA-1)", FileMd5: "File (MD5)", IpAddress: "Address", DomainName: "Domain", Url: "URL", CertificateThumbprint: "Certificate" } as const;
export const indicatorActions = { Audit: "Audit", Warn: "Warn", Block: "Block", BlockAndRemediate: "Block and remediate", Allowed: "Allow", Alert: "Alert", AlertAndBlock: "Alert and block" } as const;
export const indicatorSeverities = ["Informational", "Low", "Medium", "High"] as const;

export type IndicatorType = keyof typeof indicatorTypes;
export type IndicatorAction = keyof typeof indicatorActions;
export type IndicatorSeverity = (typeof indicatorSeverities)[number];

/** Whether an action asks for more than an alert. */
export const prevents = (a: string): boolean => ["Warn", "Block", "BlockAndRemediate", "AlertAndBlock"].includes(a);

/** What a form and a file say of an indicator. */
export interface IndicatorFields {
  type: IndicatorType;
  value: string;
  action: IndicatorAction;
  title: string;
  description: string;
  severity: IndicatorSeverity;
  generate_alert: boolean;
  recommended_actions?: string;
  expires_at?: string;
  external_id?: string;
  device_groups?: number[];
}

export interface IndicatorLine { line: number; edit: IndicatorFields }
export interface WrongLine { line: number; value: string; error: string }

/** The fields of CSV text with the lines on which its records begin: quoted fields may hold commas, quotes and line ends. */
export function records(text: string): { line: number; fields: string[] }[] {
  const out: { line: number; fields: string[] }[] = [];
  let fields: string[] = [];
  let field = "";
  let quoted = false;
  let line = 1;
  let begin = 1;
  const end = () => {
    fields.push(field);
    if (fields.length > 1 || field.trim() !== "") out.push({ line: begin, fields });
    fields = [];
    field = "";
    begin = line;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === "\n") line++;
    if (quoted) {
      if (c !== '"') field += c;
      else if (text.charAt(i + 1) === '"') field += text.charAt(i++);
      else quoted = false;
    } else if (c === '"' && field === "") quoted = true;
    else if (c === ",") {
      fields.push(field);
      field = "";
    } else if (c === "\n") end();
    else if (c !== "\r") field += c;
  }
  if (field !== "" || fields.length > 0) end();
  return out;
}

/** Names of columns, without case, blanks and underscores, as the Defender portal, its API and our exports have them. */
const columns: Record<string, string> = {
  indicatortype: "type", type: "type", indicatorvalue: "value", value: "value", action: "action", title: "title", description: "description", severity: "severity", expirationtime: "expires", expiresat: "expires",
  recommendedactions: "recommended", rbacgroups: "groups", rbacgroupnames: "groups", devicegroups: "groups", generatealert: "alert", externalid: "external",
};

const match = <K extends string>(all: readonly K[], said: string): K | undefined => all.find((k) => k.toLowerCase() === said.toLowerCase());

/** Indicators of CSV text, and of each line that is none why. Without a heading of type, value, action, title and description it throws. */
export function readIndicators(text: string, groups: readonly { id: number; name: string }[]): { good: IndicatorLine[]; wrong: WrongLine[] } {
  const [head, ...rest] = records(text.replace(/^\uFEFF/, ""));
  const names = (head?.fields ?? []).map((f) => columns[f.toLowerCase().replace(/[\s_]/g, "")] ?? "");
  const missing = ["type", "value", "action", "title", "description"].filter((n) => !names.includes(n));
  if (missing.length > 0) throw new Error(`The first line must name the columns; these are missing: ${missing.join(", ")}.`);
  const good: IndicatorLine[] = [];
  const wrong: WrongLine[] = [];
  for (const { line, fields } of rest) {
    const of = (name: string): string => (fields[names.indexOf(name)] ?? "").trim();
    const fail = (error: string) => wrong.push({ line, value: of("value"), error });
    const type = match(Object.keys(indicatorTypes) as IndicatorType[], of("type"));
    const action = of("action").toLowerCase() === "allow" ? "Allowed" : match(Object.keys(indicatorActions) as IndicatorAction[], of("action"));
    const severity = match(indicatorSeverities, of("severity") || "Informational");
    const expires = of("expires") === "" ? undefined : new Date(of("expires"));
    const named = of("groups").split(/[;,]/).map((g) => g.trim()).filter((g) => g !== "");
    const found = named.map((n) => groups.find((g) => g.name.toLowerCase() === n.toLowerCase()));
    if (!type) fail(`“${of("type")}” is no type of indicators`);
    else if (!action) fail(`“${of("action")}” is no action`);
    else if (!severity) fail(`“${of("severity")}” is no severity`);
    else if (expires && Number.isNaN(expires.getTime())) fail(`“${of("expires")}” is no time`);
    else if (found.includes(undefined)) fail(`there is no device group “${named[found.indexOf(undefined)] ?? ""}”`);
    else {
      const edit: IndicatorFields = { type, value: of("value"), action, title: of("title"), description: of("description"), severity, generate_alert: action === "Audit" || /^(true|yes|1)$/i.test(of("alert")) };
      if (of("recommended") !== "") edit.recommended_actions = of("recommended");
      if (of("external") !== "") edit.external_id = of("external");
      if (expires && expires.getFullYear() > 1) edit.expires_at = expires.toISOString();
      if (named.length > 0) edit.device_groups = found.flatMap((g) => (g ? [g.id] : []));
      good.push({ line, edit });
    }
  }
  return { good, wrong };
}
