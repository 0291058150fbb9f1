import { Button, Input, Select, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { AddRegular, DismissRegular } from "@fluentui/react-icons";
import { choices, freshCondition, freshRule, hints, operatorWord, operatorsOf, properties, propertyWord, withOperator, withProperty, type Condition, type Operator, type Property, type Rule } from "../../lib/rules";

const useStyles = makeStyles({
  rule: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, padding: "10px 12px 12px", margin: 0, minWidth: 0 },
  legend: { fontWeight: tokens.fontWeightSemibold, padding: "0 4px" },
  line: { display: "flex", gap: "8px", alignItems: "flex-start", marginBottom: "8px" },
  property: { width: "140px", flexShrink: 0 },
  operator: { width: "124px", flexShrink: 0 },
  value: { flexGrow: 1, minWidth: 0 },
  or: { margin: "6px 0", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, textAlign: "center" },
  tools: { display: "flex", gap: "4px" },
  spread: { flexGrow: 1 },
  add: { marginTop: "10px", alignSelf: "flex-start" },
  none: { color: tokens.colorNeutralForeground3, margin: 0 },
});

function Value({ c, label, onChange }: { c: Condition; label: string; onChange: (values: string[]) => void }) {
  const s = useStyles();
  const few = choices[c.property];
  if (few && c.operator === "equals") {
    return (
      <Select className={s.value} aria-label={label} value={c.values[0] ?? ""} onChange={(_, d) => onChange([d.value])}>
        {few.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}
      </Select>
    );
  }
  if (c.operator === "in") {
    return <Textarea className={s.value} aria-label={`${label}, one a line`} placeholder="One a line" resize="vertical" rows={2} value={c.values.join("\n")} onChange={(_, d) => onChange(d.value.split("\n"))} />;
  }
  return <Input className={s.value} aria-label={label} placeholder={hints[c.property]} maxLength={200} value={c.values[0] ?? ""} onChange={(_, d) => onChange([d.value])} />;
}

/** Rules, to edit: conditions that all hold, rules that are alternatives. `tags` says that a rule gives a tag. */
export function RuleForm({ rules, onChange }: { rules: readonly Rule[]; onChange: (rules: Rule[]) => void }) {
  const s = useStyles();
  const put = (i: number, conditions: Condition[]) => onChange(rules.map((r, j) => (j === i ? { conditions } : r)));
  return (
    <>
      {rules.length === 0 && <p className={s.none}>There are no rules, so no device is taken.</p>}
      {rules.map((rule, i) => {
        const set = (j: number, c: Condition) => put(i, rule.conditions.map((o, k) => (k === j ? c : o)));
        return (
          <div key={i}>
            {i > 0 && <div className={s.or}>or</div>}
            <fieldset className={s.rule}>
              <legend className={s.legend}>{`Rule ${i + 1}`}</legend>
              {rule.conditions.map((c, j) => {
                const name = `Rule ${i + 1}, condition ${j + 1}`;
                return (
                  <div key={j} className={s.line}>
                    <Select className={s.property} aria-label={`${name}: property`} value={c.property} onChange={(_, d) => set(j, withProperty(c, d.value as Property))}>
                      {properties.map((p) => <option key={p} value={p}>{propertyWord[p]}</option>)}
                    </Select>
                    <Select className={s.operator} aria-label={`${name}: comparison`} value={c.operator} onChange={(_, d) => set(j, withOperator(c, d.value as Operator))}>
                      {operatorsOf(c.property).map((o) => <option key={o} value={o}>{operatorWord[o]}</option>)}
                    </Select>
                    <Value c={c} label={`${name}: value`} onChange={(values) => set(j, { ...c, values })} />
                    <Button appearance="subtle" icon={<DismissRegular />} aria-label={`Remove ${name.toLowerCase()}`} title="Remove this condition" disabled={rule.conditions.length === 1} onClick={() => put(i, rule.conditions.filter((_, k) => k !== j))} />
                  </div>
                );
              })}
              <div className={s.tools}>
                <Button size="small" appearance="subtle" icon={<AddRegular />} disabled={rule.conditions.length >= 20} onClick={() => put(i, [...rule.conditions, freshCondition(rule.conditions.length === 1 ? "os_platform" : "tag")])}>And …</Button>
                <span className={s.spread} />
                <Button size="small" appearance="subtle" aria-label={`Remove rule ${i + 1}`} onClick={() => onChange(rules.filter((_, k) => k !== i))}>Remove rule</Button>
              </div>
            </fieldset>
          </div>
        );
      })}
      <Button className={s.add} size="small" icon={<AddRegular />} disabled={rules.length >= 20} onClick={() => onChange([...rules, freshRule()])}>{rules.length === 0 ? "Add a rule" : "Or another rule"}</Button>
    </>
  );
}
