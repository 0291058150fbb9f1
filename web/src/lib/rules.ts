/** Rules of device groups and tags, as people edit them. */

export type Property = "name" | "domain" | "tag" | "os_platform" | "os_version" | "ip" | "value" | "arch" | "source";
export type Operator = "equals" | "starts_with" | "ends_with" | "contains" | "in";
export interface Condition {
  property: Property;
  operator: Operator;
  values: string[];
}
export interface Rule {
  conditions: Condition[];
}

export const propertyWord: Readonly<Record<Property, string>> = {
  name: "Name", domain: "Domain", tag: "Tag", os_platform: "OS platform", os_version: "OS version", ip: "IP address", value: "Device value", arch: "Architecture", source: "Source",
};
export const operatorWord: Readonly<Record<Operator, string>> = { equals: "equals", starts_with: "starts with", ends_with: "ends with", contains: "contains", in: "is one of" };
export const properties = Object.keys(propertyWord) as Property[];

/** The values of properties that have few. */
export const choices: Readonly<Partial<Record<Property, readonly { value: string; label: string }[]>>> = {
  value: ["Low", "Normal", "High"].map((v) => ({ value: v, label: v })),
  source: [{ value: "agent", label: "Agent" }, { value: "osquery", label: "osquery" }, { value: "sbom", label: "SBOM" }, { value: "simulated", label: "Simulated" }],
};

/** What a property may be compared by. */
export function operatorsOf(p: Property): readonly Operator[] {
  return p === "ip" || choices[p] ? ["equals", "in"] : ["equals", "starts_with", "ends_with", "contains", "in"];
}

export const hints: Readonly<Record<Property, string>> = {
  name: "web-", domain: "corp.example", tag: "production", os_platform: "Debian", os_version: "12", ip: "10.1.0.0/16", value: "", arch: "amd64", source: "",
};

export const freshCondition = (property: Property = "name"): Condition => ({ property, operator: property === "ip" ? "in" : property === "name" ? "starts_with" : "equals", values: [choices[property]?.[0]?.value ?? ""] });
export const freshRule = (): Rule => ({ conditions: [freshCondition()] });

/** A condition with another property: what does not fit it any more starts anew. */
export function withProperty(c: Condition, property: Property): Condition {
  const fresh = freshCondition(property);
  if (choices[property] ?? choices[c.property]) return fresh;
  return { property, operator: operatorsOf(property).includes(c.operator) ? c.operator : fresh.operator, values: c.values };
}

/** A condition with another operator: only "is one of" keeps more than one value. */
export const withOperator = (c: Condition, operator: Operator): Condition => ({ ...c, operator, values: operator === "in" ? c.values : [c.values[0] ?? ""] });

/** The rules as they are sent: without blank lines and blanks around values. */
export function clean(rules: readonly Rule[]): Rule[] {
  return rules.map((r) => ({
    conditions: r.conditions.map((c) => {
      const values = c.values.map((v) => v.trim());
      const kept = values.filter((v) => v !== "");
      return { ...c, values: kept.length > 0 ? kept : [""] };
    }),
  }));
}

/** Whether every condition says what to compare with. */
export const complete = (rules: readonly Rule[]): boolean => rules.every((r) => r.conditions.length > 0 && r.conditions.every((c) => c.values.some((v) => v.trim() !== "")));

const valueWord = (p: Property, v: string): string => choices[p]?.find((o) => o.value === v)?.label ?? v;

/** A condition in words: "Name starts with web". */
export function conditionText(c: Condition): string {
  const values = c.values.map((v) => valueWord(c.property, v));
  const shown = values.length > 3 ? `${values.slice(0, 3).join(", ")} and ${values.length - 3} more` : values.join(", ");
  return `${propertyWord[c.property]} ${operatorWord[c.operator]} ${shown}`;
}

/** Rules in words. */
export function rulesText(rules: readonly Rule[]): string {
  return rules.map((r) => r.conditions.map(conditionText).join(" and ")).join("; or ");
}

/** What the server says is wrong, with the place as people see it. */
export function explainRules(text: string): string {
  return text
    .replace(/rules\[(\d+)\]/g, (_, n: string) => `rule ${Number(n) + 1}`)
    .replace(/\.conditions\[(\d+)\]/g, (_, n: string) => `, condition ${Number(n) + 1}`)
    .replace(/\.conditions\b/g, ", conditions")
    .replace(/\.values\[(\d+)\]/g, (_, n: string) => `, value ${Number(n) + 1}`)
    .replace(/\.(values|property|operator)\b/g, ", $1")
    .replace(/^([a-z])/, (c) => c.toUpperCase());
}
