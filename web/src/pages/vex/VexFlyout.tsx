import { Button, MessageBar, MessageBarBody, Select, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { ArrowDownloadRegular, DeleteRegular, ShieldCheckmarkRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { address, explain } from "../../api/client";
import { removeVex, vexDocument, vexRemoval, vexStatements, type VexDocument, type VexRemoval, type VexRow, type VexStatement } from "../../api/exchange";
import { Anchor } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { Refs, type RefColumn } from "../../app/Refs";
import { number, plural } from "../../lib/format";
import { productPath } from "../../lib/product";
import { labelWords, outcomeCounts, outcomeText, vexOutcome, vexOutcomes, vexStatus } from "../../lib/vex";
import { Chip } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Menu } from "../../ui/Menu";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  ask: { display: "flex", flexDirection: "column", gap: "10px", marginBottom: "20px", padding: "14px 16px", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, backgroundColor: tokens.colorNeutralBackground2 },
  buttons: { display: "flex", gap: "8px" },
  list: { margin: 0, paddingLeft: "20px", lineHeight: tokens.lineHeightBase400 },
  bar: { display: "flex", alignItems: "center", gap: "12px", marginBottom: "8px" },
  spread: { flexGrow: 1 },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, marginTop: "4px" },
  wrong: { marginBottom: "16px" },
});

function Details({ d }: { d: VexDocument }) {
  const s = useStyles();
  const counts = outcomeCounts(d);
  return (
    <>
      {d.problem && <MessageBar intent="warning" className={s.wrong}><MessageBarBody>{d.problem}</MessageBarBody></MessageBar>}
      <Section title="What came of it">
        <Facts>
          <Fact name="Statements">{number(d.statements)}</Fact>
          <Fact name="Exceptions that hold">{d.exceptions > 0 ? <Anchor to="/remediation" search={{ tab: "exceptions", document: d.id }}>{number(d.exceptions)}</Anchor> : "0"}</Fact>
          {vexOutcomes.map((o) => <Fact key={o} name={vexOutcome(o).word}>{number(counts[o] ?? 0)}<div className={s.quiet}>{vexOutcome(o).means}</div></Fact>)}
        </Facts>
      </Section>
      <Section title="The document">
        <Facts>
          <Fact name="Author" wide>{d.author}</Fact>
          <Fact name="Id" wide>{d.document}</Fact>
          <Fact name="Format">{d.format}</Fact>
          <Fact name="Version">{d.version}</Fact>
          <Fact name="Dated"><Moment at={d.made} /></Fact>
          <Fact name="Imported"><Moment at={d.loaded} />{d.loaded_by && ` by ${d.loaded_by}`}</Fact>
          <Fact name="SHA-256" wide><Mono>{d.digest}</Mono></Fact>
        </Facts>
      </Section>
    </>
  );
}

function Outcome({ r }: { r: VexStatement }) {
  const s = useStyles();
  const o = vexOutcome(r.outcome);
  return (
    <>
      <Chip tone={o.tone} title={o.means}>{o.word}</Chip>
      <div className={s.quiet}>{r.outcome === "NotMatched" ? r.reason : plural(r.devices, "device")}</div>
    </>
  );
}

const columns: readonly RefColumn<VexStatement>[] = [
  {
    key: "weakness", title: "Weakness", sort: { key: "weakness", first: "asc" }, width: "24%",
    render: (r) => (
      <>
        {r.software ? <Anchor to="/weaknesses" search={{ open: r.weakness, q: r.weakness, exposed: "any" }}>{r.weakness}</Anchor> : r.weakness}
        <div style={{ fontSize: 12, opacity: 0.8 }}>{vexStatus(r.status)}</div>
      </>
    ),
  },
  {
    key: "product", title: "Product", sort: { key: "product", first: "asc" },
    render: (r) => (
      <>
        {r.software ? <Anchor to={productPath(r.software)}>{r.product}</Anchor> : r.product}
        {(r.justification || r.detail) && <div style={{ fontSize: 12, opacity: 0.8 }}>{[labelWords(r.justification), r.detail].filter(Boolean).join(": ")}</div>}
      </>
    ),
  },
  { key: "outcome", title: "What came of it", sort: { key: "outcome", first: "asc" }, width: "30%", render: (r) => <Outcome r={r} /> },
];

function Statements({ d }: { d: VexDocument }) {
  const s = useStyles();
  const [outcome, setOutcome] = useState("");
  const query = useCallback((p: Record<string, string>) => vexStatements(d.id, { ...p, ...(outcome && { outcome }) }), [d.id, outcome]);
  const counts = outcomeCounts(d);
  const file = (format: string) => address(`/vex/${encodeURIComponent(d.id)}/statements/export`, { format, ...(outcome && { outcome }) });
  return (
    <>
      <div className={s.bar}>
        <Select aria-label="What came of it" value={outcome} onChange={(_, v) => setOutcome(v.value)}>
          <option value="">{`All statements (${number(d.statements)})`}</option>
          {vexOutcomes.map((o) => <option key={o} value={o}>{`${vexOutcome(o).word} (${number(counts[o] ?? 0)})`}</option>)}
        </Select>
        <span className={s.spread} />
        <Menu
          label="Export statements"
          align="end"
          entries={[{ kind: "download", key: "csv", text: "CSV, all rows", href: file("csv") }, { kind: "download", key: "jsonl", text: "JSON Lines, all rows", href: file("jsonl") }]}
          trigger={(t) => <Button {...t} appearance="subtle" icon={<ArrowDownloadRegular />}>Export</Button>}
        />
      </div>
      <div key={outcome}>
        <Refs label="Statements" query={query} columns={columns} rowKey={(r) => String(r.place)} what="statement" empty={outcome ? "No statement came to that" : "It says nothing about any product"} />
      </div>
    </>
  );
}

/** What comes back, in sentences. */
function comesBack(r: VexRemoval): string[] {
  const out = [r.exceptions === 1 ? "1 exception ends." : `${plural(r.exceptions, "exception")} end.`];
  if (r.made > 0) out.push(`${plural(r.made, "exception")} of earlier documents ${r.made === 1 ? "holds" : "hold"} again.`);
  const some = r.weaknesses.slice(0, 5).join(", ") + (r.count > 5 ? ` and ${r.count - 5} more` : "");
  out.push(r.findings === 0 ? "No finding comes back." : `${plural(r.findings, "finding")} of ${some} on ${plural(r.devices, "device")} ${r.findings === 1 ? "counts" : "count"} again.`);
  return out;
}

/** `gone` is true from the moment of removal on: then nothing is asked about the document any more. */
function Remove({ id, gone, onGone, onDone, onKeep }: { id: string; gone: boolean; onGone: (gone: boolean) => void; onDone: () => void; onKeep: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const { data, error } = useQuery({ ...vexRemoval(id), enabled: !gone, staleTime: 0 });
  const go = useMutation({
    mutationFn: () => removeVex(id),
    onMutate: () => onGone(true),
    onError: () => onGone(false),
    onSuccess: () => {
      onDone();
      return client.invalidateQueries();
    },
  });
  const wrong = go.error ?? error;
  return (
    <div className={s.ask} role="group" aria-label="Remove this document">
      <strong>Remove this document?</strong>
      {wrong && <MessageBar intent="error"><MessageBarBody>{explain(wrong)}</MessageBarBody></MessageBar>}
      {data ? <ul className={s.list}>{comesBack(data).map((t) => <li key={t}>{t}</li>)}</ul> : !wrong && <Spinner size="tiny" label="Counting what comes back …" labelPosition="after" />}
      <div className={s.buttons}>
        <Button appearance="primary" disabled={!data || go.isPending} onClick={() => go.mutate()}>Yes, remove it</Button>
        <Button disabled={go.isPending} onClick={onKeep}>Keep it</Button>
      </div>
    </div>
  );
}

/** A VEX document: what it says, what came of it, and how to be rid of it. */
export function VexFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: VexRow | undefined }) {
  const [asked, setAsked] = useState(false);
  const [gone, setGone] = useState(false);
  const q = useQuery({ ...vexDocument(id), enabled: !gone });
  const d = q.data;
  const ask = asked && <Remove id={id} gone={gone} onGone={setGone} onDone={frame.onClose} onKeep={() => setAsked(false)} />;
  const head = d ?? row;
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head ? head.title || head.document : "VEX document"}
      subtitle={head && <><Chip tone="info">{head.format}</Chip><span>{`by ${head.author}`}</span><span>{outcomeText(head)}</span></>}
      actions={head && (
        <>
          <ButtonLink to="/remediation" search={{ tab: "exceptions", document: head.id }} icon={<ShieldCheckmarkRegular />}>Show its exceptions</ButtonLink>
          <Button as="a" appearance="subtle" icon={<ArrowDownloadRegular />} href={address(`/vex/${encodeURIComponent(head.id)}/file`)} download>Download</Button>
          <MayButton rights={["settings.security"]} appearance="subtle" icon={<DeleteRegular />} disabled={asked} onClick={() => setAsked(true)}>Remove</MayButton>
        </>
      )}
      tabs={[
        { key: "details", title: "Details", render: () => d && <>{ask}<Details d={d} /></> },
        { key: "statements", title: "Statements", render: () => d && <>{ask}{!gone && <Statements d={d} />}</> },
      ]}
    />
  );
}
