import { MessageBar, MessageBarBody, makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkRegular, ClockRegular, PersonRegular, SearchInfoRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { alert, updateAlert } from "../../api/alerts";
import { explain } from "../../api/client";
import { startInvestigation } from "../../api/investigations";
import { session } from "../../api/queries";
import type { Alert, AlertEdit, AlertRow } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { ButtonLink } from "../../app/ButtonLink";
import { Flyout } from "../../app/Flyout";
import type { FlyoutFrame } from "../../app/ListView";
import { MayButton } from "../../app/MayButton";
import { alertSource, classification, spaced } from "../../lib/alerts";
import { number, plural, time } from "../../lib/format";
import { stateWord } from "../../lib/investigations";
import type { RawSearch } from "../../lib/search";
import { iso } from "../../lib/timeline";
import { AlertSeverity, AlertStatus, RiskLevel } from "../../ui/Alert";
import { Chip } from "../../ui/Chip";
import { Fact, Facts, Section } from "../../ui/Facts";
import { ExposureLevel } from "../../ui/Exposure";
import { Moment } from "../../ui/Time";
import { EvidenceList } from "./EvidenceList";
import { ManageFields, type Draft } from "./ManageFields";
import { Notes } from "./Notes";

const useStyles = makeStyles({
  text: { margin: 0, whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  list: { margin: 0, padding: 0, listStyleType: "none", display: "flex", flexDirection: "column", gap: "8px" },
  quiet: { color: tokens.colorNeutralForeground3 },
  error: { marginTop: "8px", width: "100%" },
  row: { display: "flex", gap: "8px", marginTop: "16px" },
});

const draftOf = (d: Alert): Draft => ({ status: d.status, assigned_to: d.assigned_to, classification: d.classification, determination: d.determination, comment: "" });

/** Only what differs from the alert goes out. */
function changes(d: Alert, draft: Draft): AlertEdit {
  const out: AlertEdit = {};
  if (draft.status !== d.status) out.status = draft.status;
  if ((draft.assigned_to ?? "").trim() !== d.assigned_to) out.assigned_to = (draft.assigned_to ?? "").trim();
  if (draft.classification !== d.classification) out.classification = draft.classification;
  if (draft.determination !== d.determination) out.determination = draft.determination;
  if (draft.comment.trim() !== "") out.comment = draft.comment.trim();
  return out;
}

function useChange(d: Alert | undefined, then?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (edit: AlertEdit) => updateAlert(d?.id ?? "", edit),
    onSuccess: async (now) => {
      client.setQueryData(alert(now.id).queryKey, now);
      await client.invalidateQueries();
      then?.();
    },
  });
}

function Actions({ d }: { d: Alert }) {
  const s = useStyles();
  const { data: self } = useQuery(session);
  const go = useChange(d);
  const navigate = useNavigate();
  const start = useMutation({ mutationFn: () => startInvestigation(d.device_id, { comment: `Started from the alert “${d.title}”`, alert: d.id }), onSuccess: (i) => void navigate({ to: `/investigations/${i.id}` }) });
  const wrong = go.error ?? start.error;
  const at = time(d.first_event);
  const until = time(d.last_event);
  const around: RawSearch = at && until ? { days: "any", since: iso(Math.floor(at.getTime() / 1000) * 1000 - 300_000), until: iso(Math.ceil(until.getTime() / 1000) * 1000 + 300_000) } : {};
  return (
    <>
      {self && d.assigned_to !== self.username && <MayButton rights={["alerts.investigate"]} appearance="subtle" icon={<PersonRegular />} disabled={go.isPending} onClick={() => go.mutate({ assigned_to: self.username, ...(d.status === "New" ? { status: "InProgress" } : {}) })}>Assign to me</MayButton>}
      {d.status !== "Resolved" && <MayButton rights={["alerts.investigate"]} appearance="subtle" icon={<CheckmarkRegular />} disabled={go.isPending} onClick={() => go.mutate({ status: "Resolved" })}>Resolve</MayButton>}
      <ButtonLink to={`/devices/${encodeURIComponent(d.device_id)}/timeline`} search={around} icon={<ClockRegular />}>Timeline around it</ButtonLink>
      <MayButton rights={["alerts.investigate"]} appearance="subtle" icon={<SearchInfoRegular />} disabled={start.isPending} onClick={() => start.mutate()}>Investigate the device</MayButton>
      {wrong && <MessageBar intent="error" layout="multiline" className={s.error}><MessageBarBody>{explain(wrong)}</MessageBarBody></MessageBar>}
    </>
  );
}

function Details({ d }: { d: Alert }) {
  const s = useStyles();
  return (
    <>
      <Section title="Description"><p className={s.text}>{d.description}</p></Section>
      <Section title="Recommended action"><p className={s.text}>{d.recommended_action}</p></Section>
      <Section title="Alert">
        <Facts>
          <Fact name="Category">{spaced(d.category)}</Fact>
          <Fact name="Detection source">{alertSource(d)}</Fact>
          <Fact name="Raised by">{d.maker}</Fact>
          <Fact name="Raised"><Moment at={d.created_at} /></Fact>
          <Fact name="First activity"><Moment at={d.first_event} /></Fact>
          <Fact name="Last activity"><Moment at={d.last_event} /></Fact>
          <Fact name="Classification">{classification(d.classification)}</Fact>
          <Fact name="Determination">{d.determination ? spaced(d.determination) : "Not set"}</Fact>
          <Fact name="Assigned to">{d.assigned_to || "Nobody"}</Fact>
          <Fact name="Investigation">{d.investigation && <Anchor to={`/investigations/${d.investigation}`}>{stateWord(d.investigation_state ?? "")[0]}</Anchor>}</Fact>
          <Fact name="Resolved">{d.resolved_at && <Moment at={d.resolved_at} />}</Fact>
        </Facts>
      </Section>
      {d.techniques.length > 0 && (
        <Section title="ATT&CK techniques">
          <ul className={s.list}>
            {d.techniques.map((t) => <li key={t.id}><strong>{t.id}</strong>{t.name && ` ${t.name}`}{t.tactics.length > 0 && <span className={s.quiet}>{` (${t.tactics.join(", ")})`}</span>}</li>)}
          </ul>
        </Section>
      )}
      <Section title="Device">
        <Facts>
          <Fact name="Device"><Anchor to={`/devices/${encodeURIComponent(d.device_id)}`}>{d.device_name}</Anchor></Fact>
          <Fact name="Device group">{d.group}</Fact>
          <Fact name="Risk level"><RiskLevel level={d.device_risk} /></Fact>
          <Fact name="Exposure level"><ExposureLevel level={d.device_exposure} /></Fact>
          <Fact name="User">{d.user}</Fact>
        </Facts>
      </Section>
      {d.others.length > 0 && (
        <Section title="Other active alerts on the device">
          <ul className={s.list}>
            {d.others.map((o) => <li key={o.id}><Anchor to="/alerts" search={{ open: o.id }}>{o.title}</Anchor> <AlertSeverity level={o.severity} /></li>)}
          </ul>
        </Section>
      )}
    </>
  );
}

function Manage({ d }: { d: Alert }) {
  const s = useStyles();
  const [draft, setDraft] = useState(() => draftOf(d));
  const go = useChange(d, () => setDraft((now) => ({ ...now, comment: "" })));
  const edit = changes(d, draft);
  return (
    <form aria-label="Manage the alert" onSubmit={(e) => { e.preventDefault(); go.mutate(edit); }}>
      <ManageFields draft={draft} onChange={setDraft} />
      <div className={s.row}><MayButton rights={["alerts.investigate"]} appearance="primary" type="submit" disabled={go.isPending || Object.keys(edit).length === 0}>Save</MayButton></div>
      {go.error && <MessageBar intent="error" layout="multiline" className={s.error}><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
    </form>
  );
}

/** One alert: what it is about, what it rests on, and what is done about it. */
export function AlertFlyout({ id, frame, row }: { id: string; frame: FlyoutFrame; row: AlertRow | undefined }) {
  const s = useStyles();
  const q = useQuery(alert(id));
  const d = q.data;
  const head = d ?? row;
  return (
    <Flyout
      frame={frame}
      state={q}
      title={head?.title ?? "Alert"}
      subtitle={head && <><AlertSeverity level={head.severity} /><AlertStatus value={head.status} />{head.simulated && <Chip tone="info">Simulated device</Chip>}<span>{head.device_name}</span></>}
      actions={d && <Actions d={d} />}
      tabs={[
        { key: "details", title: "Details", render: () => d && <Details d={d} /> },
        {
          key: "evidence", title: `Evidence${d ? ` (${number(d.evidence.length)})` : ""}`,
          render: () => d && (
            <>
              <EvidenceList d={d} />
              {d.dropped > 0 && <p className={s.quiet}>{`${plural(d.dropped, "further event")} happened that the alert does not keep: the timeline has them.`}</p>}
            </>
          ),
        },
        { key: "manage", title: "Manage", render: () => d && <Manage key={d.updated_at} d={d} /> },
        { key: "history", title: `Comments and history${d ? ` (${number(d.notes.length)})` : ""}`, render: () => d && <Notes d={d} /> },
      ]}
    />
  );
}
