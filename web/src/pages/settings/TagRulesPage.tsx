import { Button, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { AddRegular, TagMultipleRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { deleteTagRule, saveTagRule, tagRules } from "../../api/settings";
import type { TagRule } from "../../api/schema";
import { Anchor, OpenLink } from "../../app/Anchor";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { useOpen } from "../../app/useOpen";
import { number } from "../../lib/format";
import { rulesText } from "../../lib/rules";
import { filterValue } from "../../lib/search";
import { Empty } from "../../ui/Empty";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { RuleSetPanel, freshRuleSet } from "./RuleSetPanel";

const useStyles = makeStyles({
  bar: { margin: "14px 0 10px -8px" },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

function About({ r }: { r: TagRule }) {
  const s = useStyles();
  return <><OpenLink id={String(r.id)}>{r.tag}</OpenLink>{r.description && <div className={s.quiet}>{r.description}</div>}</>;
}

const columns: readonly PlainColumn<TagRule>[] = [
  { key: "tag", title: "Tag", width: "26%", render: (r) => <About r={r} /> },
  { key: "rules", title: "Rules", render: (r) => rulesText(r.rules) || "No rules" },
  { key: "devices", title: "Devices", width: "12%", align: "end", render: (r) => <Anchor to="/devices" search={{ tag: filterValue(r.tag), group: "" }}>{number(r.devices)}</Anchor> },
];

/** Settings › Tag rules: tags that rules give. */
export function TagRulesPage() {
  const s = useStyles();
  const { data, error, refetch } = useQuery(tagRules);
  const { open, show, close } = useOpen();
  if (error && !data) return <ErrorPage error={error} retry={() => void refetch()} />;
  const rule = data?.find((r) => String(r.id) === open);
  const edited = open === "new" ? freshRuleSet() : rule && { id: rule.id, name: rule.tag, description: rule.description, rules: rule.rules };
  return (
    <PageHead title="Tag rules" scroll text="Tags that devices get, and lose, by rules. Rules for device groups may look at them; rules for tags see only tags that people and agents give.">
      <div className={s.bar}>
        <Button appearance="subtle" icon={<AddRegular />} onClick={() => show("new")}>New tag rule</Button>
      </div>
      {!data ? (
        <Spinner label="Reading …" />
      ) : data.length === 0 ? (
        <Empty icon={<TagMultipleRegular />} title="No rule gives a tag yet">Make one for what should be told apart on every list: where devices stand, what they are for, who looks after them.</Empty>
      ) : (
        <PlainTable label="Tag rules" columns={columns} rows={data} rowKey={(r) => String(r.id)} middle />
      )}
      {edited && <RuleSetPanel key={open} kind="tag" set={edited} onSave={saveTagRule} onDelete={deleteTagRule} onClose={close} afterDelete="Devices lose the tag that this rule gave them." />}
    </PageHead>
  );
}
