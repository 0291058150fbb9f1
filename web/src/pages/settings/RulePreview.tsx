import { MessageBar, MessageBarBody, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Problem, explain } from "../../api/client";
import { previewRules } from "../../api/settings";
import type { PreviewRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { number, plural } from "../../lib/format";
import { clean, complete, explainRules, type Rule } from "../../lib/rules";
import { Chip } from "../../ui/Chip";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";

const useStyles = makeStyles({
  text: { margin: "0 0 8px" },
  quiet: { margin: 0, color: tokens.colorNeutralForeground3 },
  from: { display: "flex", flexWrap: "wrap", gap: "6px", marginBottom: "10px" },
  more: { marginTop: "8px", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

/** What is wrong, with the place as people see it. */
export const wrongRules = (err: Error): string => explainRules(err instanceof Problem ? err.message : explain(err));

/** A value that has rested for a while. */
function useRested<T>(value: T, rest: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), rest);
    return () => clearTimeout(timer);
  }, [value, rest]);
  return rested;
}

const name: PlainColumn<PreviewRow> = { key: "name", title: "Device", render: (r) => <Anchor to={`/devices/${encodeURIComponent(r.id)}`}>{r.name}</Anchor> };
const os: PlainColumn<PreviewRow> = { key: "os", title: "OS platform", width: "38%", render: (r) => r.os_name || "–" };
const from: PlainColumn<PreviewRow> = { key: "group", title: "Is in now", width: "30%", render: (r) => (r.member ? r.group : <span title="A group of a better rank keeps it.">{`${r.group} (stays)`}</span>) };

/** What rules would take, kept up while they are edited. */
export function RulePreview({ kind, id, rules }: { kind: "group" | "tag"; id: number; rules: readonly Rule[] }) {
  const s = useStyles();
  const asked = useRested(JSON.stringify(clean(rules)), 350);
  const ready = complete(JSON.parse(asked) as Rule[]);
  const { data: p, error } = useQuery({ ...previewRules(kind, id, JSON.parse(asked) as Rule[]), enabled: ready, placeholderData: keepPreviousData });
  if (!ready) return <p className={s.quiet}>Say in every condition what to compare with, and the devices show here.</p>;
  if (error) return <MessageBar intent="warning"><MessageBarBody>{wrongRules(error)}</MessageBarBody></MessageBar>;
  if (!p) return <Spinner size="tiny" label="Looking at the devices …" />;
  const leaving = p.leaving > 0 ? ` ${plural(p.leaving, "device")} would leave.` : "";
  return (
    <>
      <p className={s.text} role="status">
        {kind === "tag" || p.members === p.matched ? `${plural(p.matched, "device")} would ${kind === "tag" ? "have the tag" : "be in the group"}.` : `${plural(p.matched, "device")} match; ${number(p.members)} would be in the group, the others stay in groups of a better rank.`}
        {leaving}
      </p>
      {kind === "group" && p.from.length > 0 && (
        <div className={s.from}>
          {p.from.slice(0, 12).map((g) => <Chip key={g.id} tone="quiet">{`${number(g.devices)} from ${g.name}`}</Chip>)}
          {p.from.length > 12 && <Chip tone="quiet">{`and ${p.from.length - 12} groups more`}</Chip>}
        </div>
      )}
      {p.devices.length > 0 && <PlainTable label="Devices that match" columns={kind === "group" ? [name, os, from] : [name, os]} rows={p.devices} rowKey={(r) => r.id} />}
      {p.matched > p.devices.length && <div className={s.more}>{`The first ${p.devices.length} of ${number(p.matched)}, by name.`}</div>}
    </>
  );
}
