import { Button, MessageBar, MessageBarBody, makeStyles, tokens } from "@fluentui/react-components";
import { DismissCircleRegular, OpenRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../../api/client";
import { cancelException, exception } from "../../api/queries";
import type { ExceptionDetail, ExceptionRow, ExceptionTarget } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { ExportMenu } from "../../app/ExportMenu";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { exceptionStatus, historyWord, justification, scopeWord, scoreEffect } from "../../lib/exception";
import { number, plural } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { Mono } from "../../ui/Copy";
import { Fact, Facts, Section } from "../../ui/Facts";
import { PlainTable, type PlainColumn } from "../../ui/PlainTable";
import { Moment } from "../../ui/Time";

const useStyles = makeStyles({
  text: { margin: "0 0 16px", lineHeight: tokens.lineHeightBase400, overflowWrap: "anywhere", whiteSpace: "pre-wrap" },
  ask: { display: "flex", gap: "8px", alignItems: "center", flexWrap: "wrap", marginBottom: "16px" },
  history: { margin: 0, padding: 0, listStyle: "none", "& > li": { padding: "6px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}` } },
  quiet: { color: tokens.colorNeutralForeground3 },
});

function useCancel(id: string) {
  const client = useQueryClient();
  return useMutation({ mutationFn: (groups?: number[]) => cancelException(id, groups), onSuccess: () => client.invalidateQueries() });
}

function Details({ d }: { d: ExceptionDetail }) {
  const s = useStyles();
  return (
    <>
      {d.why && <MessageBar intent="info"><MessageBarBody>{d.why}</MessageBarBody></MessageBar>}
      <Section title="Why">
        <p className={s.text}>{d.context || justification(d.justification).means}</p>
        <Facts>
          <Fact name="Justification">{justification(d.justification).word}</Fact>
          <Fact name="Scores" wide>{scoreEffect(d.justification)}</Fact>
          <Fact name="Exposed devices">{number(d.exposed)}</Fact>
          <Fact name="Where it holds">{scopeWord(d.scope)}</Fact>
          <Fact name="Made by">{d.created_by}</Fact>
          <Fact name="Made on"><Moment at={d.created_at} /></Fact>
          <Fact name="Ends">{d.expires_at ? <Moment at={d.expires_at} /> : "With its document"}</Fact>
          <Fact name="Ended">{d.ended_at && <><Moment at={d.ended_at} />{d.ended_by && ` by ${d.ended_by}`}</>}</Fact>
          <Fact name="When it gets worse">{d.keep ? "It is kept" : "It ends"}</Fact>
        </Facts>
      </Section>
      <Section title="What it is about">
        <Facts>
          <Fact name="Recommendation" wide>{d.recommendation && <Anchor to="/recommendations" search={{ open: d.recommendation, q: d.recommendation }}>{d.name}</Anchor>}</Fact>
          <Fact name="Weakness">{d.weakness && <Anchor to="/weaknesses" search={{ open: d.weakness, q: d.weakness, exposed: "any" }}>{d.weakness}</Anchor>}</Fact>
          <Fact name="Software">{d.product && <Anchor to="/software" search={{ open: d.product }}>{d.product}</Anchor>}</Fact>
          <Fact name="Versions">{d.version_from === d.version_to ? d.version_from : `${d.version_from || "any"} to ${d.version_to || "any"}`}</Fact>
          <Fact name="Path" wide>{d.path && <Mono>{d.path}</Mono>}</Fact>
          <Fact name="Package">{d.package && <Mono>{d.package}</Mono>}</Fact>
          <Fact name="Document" wide>
            {d.source.kind && (
              <>
                <div>{d.document ? <Anchor to="/remediation" search={{ tab: "vex", open: d.document }}>{d.source.id}</Anchor> : d.source.id}</div>
                <div className={s.quiet}>{`${d.source.kind}${d.source.author && ` by ${d.source.author}`}`}</div>
              </>
            )}
          </Fact>
        </Facts>
      </Section>
      <Section title="History">
        <ul className={s.history}>
          {d.history.map((e) => (
            <li key={`${e.at} ${e.type}`}>
              {historyWord(e.type)}{e.detail && `: ${e.detail}`}
              <div className={s.quiet}><Moment at={e.at} />{` · ${e.by || "Picket"}`}</div>
            </li>
          ))}
        </ul>
      </Section>
    </>
  );
}

function Targets({ d }: { d: ExceptionDetail }) {
  const cancel = useCancel(d.id);
  const open = d.status === "InEffect" || d.status === "Suspended";
  const columns: readonly PlainColumn<ExceptionTarget>[] = [
    { key: "name", title: d.scope === "Devices" ? "Device" : "Device group", render: (t) => (t.group === null ? <Anchor to={`/devices/${encodeURIComponent(t.device)}`}>{t.name || t.device}</Anchor> : t.name) },
    { key: "exposed", title: "Exposed devices", width: "22%", align: "end", render: (t) => number(t.exposed) },
    { key: "status", title: "Status", width: "22%", render: (t) => exceptionStatus(t.status).word },
    {
      key: "cancel", title: "Action", width: "18%", align: "end",
      render: (t) => {
        const g = t.group;
        return open && g !== null && !t.ended_at ? <MayButton rights={["remediate.exceptions"]} size="small" disabled={cancel.isPending} aria-label={`Cancel for ${t.name}`} onClick={() => cancel.mutate([g])}>Cancel</MayButton> : null;
      },
    },
  ];
  return (
    <>
      {cancel.error && <MessageBar intent="error"><MessageBarBody>{explain(cancel.error)}</MessageBarBody></MessageBar>}
      <ExportMenu path={`/exceptions/${encodeURIComponent(d.id)}/targets`} />
      <PlainTable label="Where the exception holds" columns={columns} rows={d.in} rowKey={(t) => `${t.group ?? ""} ${t.device}`} />
    </>
  );
}

/** An exception: why, where, what became of it, and how to end it. */
export function ExceptionFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: ExceptionRow | undefined }) {
  const s = useStyles();
  const q = useQuery(exception(id));
  const cancel = useCancel(id);
  const [sure, setSure] = useState(false);
  const d = q.data;
  const head = d ?? row;
  const open = head?.status === "InEffect" || head?.status === "Suspended";
  const w = exceptionStatus(head?.status ?? "");
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head?.name ?? `Exception ${id}`}
      subtitle={head && <><Chip tone={w.tone} title={w.means}>{w.word}</Chip><span>{justification(head.justification).word}</span><span>{plural(head.exposed, "exposed device")}</span></>}
      actions={head && (
        <>
          {head.recommendation && <ButtonLink to="/recommendations" search={{ open: head.recommendation, q: head.recommendation }} icon={<OpenRegular />}>Open recommendation</ButtonLink>}
          {open && !sure && <MayButton rights={[head.scope === "Global" ? "administrator" : "remediate.exceptions"]} appearance="subtle" icon={<DismissCircleRegular />} onClick={() => setSure(true)}>Cancel exception</MayButton>}
          {open && sure && (
            <span className={s.ask}>
              <span>{head.scope === "DeviceGroups" ? "Cancel it for all device groups?" : "Cancel it now?"}</span>
              <Button appearance="primary" size="small" disabled={cancel.isPending} onClick={() => cancel.mutate(undefined)}>Yes, cancel</Button>
              <Button size="small" onClick={() => setSure(false)}>No</Button>
            </span>
          )}
          {cancel.error && <MessageBar intent="error"><MessageBarBody>{explain(cancel.error)}</MessageBarBody></MessageBar>}
        </>
      )}
      tabs={[
        { key: "details", title: "Details", render: () => d && <Details d={d} /> },
        ...(head && head.scope !== "Global" ? [{ key: "where", title: head.scope === "Devices" ? "Devices" : "Device groups", render: () => d && <Targets d={d} /> }] : []),
      ]}
    />
  );
}
