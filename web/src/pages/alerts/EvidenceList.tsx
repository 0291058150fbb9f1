import { makeStyles, tokens } from "@fluentui/react-components";
import { AppGenericRegular, DocumentRegular, GlobeRegular, LinkRegular, PersonRegular } from "@fluentui/react-icons";
import type { Alert, AlertEvidence } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { CopyButton } from "../../ui/Copy";
import { Fact, Facts } from "../../ui/Facts";
import { Moment } from "../../ui/Time";

const icons: Record<string, typeof LinkRegular> = { Process: AppGenericRegular, File: DocumentRegular, Ip: GlobeRegular, Url: LinkRegular, User: PersonRegular };
const words: Record<string, string> = { Process: "Process", File: "File", Ip: "Address", Url: "Web address", User: "User" };

const useStyles = makeStyles({
  list: { margin: 0, padding: 0, listStyleType: "none", display: "flex", flexDirection: "column", gap: "12px" },
  item: { padding: "12px 16px", border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, borderLeft: `3px solid ${tokens.colorStatusDangerForeground1}` },
  head: { display: "flex", alignItems: "center", gap: "10px", marginBottom: "10px", fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  icon: { fontSize: "20px", flexShrink: 0, display: "flex", color: tokens.colorNeutralForeground2 },
  end: { marginLeft: "auto", fontWeight: tokens.fontWeightRegular, whiteSpace: "nowrap" },
  value: { display: "flex", alignItems: "flex-start", gap: "4px", overflowWrap: "anywhere" },
});

const nameOf = (e: AlertEvidence): string =>
  e.ip ?? e.url ?? (e.kind === "User" ? (e.domain ? `${e.domain}\\${e.account ?? ""}` : e.account ?? "") : e.name ?? e.path ?? "");

function Value({ name, text }: { name: string; text: string }) {
  const s = useStyles();
  return <span className={s.value}><span>{text}</span><CopyButton text={text} what={name} /></span>;
}

/** What the alert's events tell of, each with the event. */
export function EvidenceList({ d }: { d: Alert }) {
  const s = useStyles();
  const timeline = `/devices/${encodeURIComponent(d.device_id)}/timeline`;
  return (
    <ul className={s.list} aria-label="Evidence">
      {d.evidence.map((e, i) => {
        const Icon = icons[e.kind] ?? LinkRegular;
        return (
          <li key={`${e.event} ${String(i)}`} className={s.item}>
            <div className={s.head}>
              <span className={s.icon} aria-hidden><Icon /></span>
              <span>{`${words[e.kind] ?? e.kind}: ${nameOf(e)}`}</span>
              <span className={s.end}><Anchor to={timeline} search={{ days: "30", open: e.event }}>Event</Anchor></span>
            </div>
            <Facts>
              <Fact name="Command line" wide>{e.command && <Value name="command line" text={e.command} />}</Fact>
              <Fact name="Path" wide={(e.path?.length ?? 0) > 30}>{e.path && <Value name="path" text={e.path} />}</Fact>
              <Fact name="Process id">{e.pid}</Fact>
              <Fact name="Started">{e.began && <Moment at={e.began} />}</Fact>
              <Fact name="Parent process">{e.parent_name && `${e.parent_name} (${String(e.parent_pid ?? "")})`}</Fact>
              <Fact name="User">{e.kind !== "User" && e.account}</Fact>
              <Fact name="User id">{e.sid}</Fact>
              <Fact name="SHA-256" wide>{e.sha256 && <Value name="SHA-256" text={e.sha256} />}</Fact>
              <Fact name="SHA-1" wide>{e.sha1 && <Value name="SHA-1" text={e.sha1} />}</Fact>
              <Fact name="Event time"><Moment at={e.at} /></Fact>
            </Facts>
          </li>
        );
      })}
    </ul>
  );
}
