import { expect, test } from "vitest";
import { clean, complete, explainRules, freshCondition, operatorsOf, properties, rulesText, withOperator, withProperty, type Rule } from "./rules";

test("every fresh condition is one that its property allows", () => {
  for (const p of properties) expect(operatorsOf(p)).toContain(freshCondition(p).operator);
});

test("another property keeps what still fits", () => {
  const c = { property: "name", operator: "contains", values: ["web"] } as const;
  expect(withProperty({ ...c, values: ["web"] }, "domain")).toEqual({ property: "domain", operator: "contains", values: ["web"] });
  expect(withProperty({ ...c, values: ["web"] }, "ip")).toEqual({ property: "ip", operator: "in", values: ["web"] });
  expect(withProperty({ ...c, values: ["web"] }, "value")).toEqual({ property: "value", operator: "equals", values: ["Low"] });
  expect(withOperator({ property: "tag", operator: "in", values: ["a", "b"] }, "equals").values).toEqual(["a"]);
});

test("what is sent has no blanks around values and no blank lines", () => {
  const rules: Rule[] = [{ conditions: [{ property: "tag", operator: "in", values: [" prod (eu), b ", "", "x"] }] }];
  expect(clean(rules)[0]?.conditions[0]?.values).toEqual(["prod (eu), b", "x"]);
  expect(complete(rules)).toBe(true);
  expect(complete([{ conditions: [freshCondition("tag")] }])).toBe(false);
  expect(complete([{ conditions: [] }])).toBe(false);
});

test("rules and what is wrong with them in words", () => {
  const rules: Rule[] = [
    { conditions: [{ property: "name", operator: "starts_with", values: ["web"] }, { property: "source", operator: "equals", values: ["sbom"] }] },
    { conditions: [{ property: "ip", operator: "in", values: ["10.1.0.0/16", "b", "c", "d", "e"] }] },
  ];
  expect(rulesText(rules)).toBe("Name starts with web and Source equals SBOM; or IP address is one of 10.1.0.0/16, b, c and 2 more");
  expect(explainRules('rules[1].conditions[0].values[2]: "10.0" is no address')).toBe('Rule 2, condition 1, value 3: "10.0" is no address');
  expect(explainRules("rules[0].conditions: are none")).toBe("Rule 1, conditions: are none");
});
