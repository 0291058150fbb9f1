import { MessageBar, MessageBarBody, MessageBarTitle, makeStyles, tokens } from "@fluentui/react-components";
import type { Device } from "../../api/schema";
import { capital, releaseName, support } from "../../lib/words";
import { Card } from "../../ui/Card";
import { Tags } from "../../ui/Chip";

const useStyles = makeStyles({
  name: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  quiet: { color: tokens.colorNeutralForeground3, marginTop: "4px" },
});

const sentence = (text: string): string => `${capital(text)}.`;

/** Says on top that the operating system has no support any more, or soon has none. */
export function SupportNotice({ d }: { d: Device }) {
  const e = d.os_support;
  if (!e?.tag) return null;
  return (
    <MessageBar intent={e.ended ? "error" : "warning"} layout="multiline">
      <MessageBarBody>
        <MessageBarTitle>{e.ended ? `${releaseName(e)} has reached its end of support` : `${releaseName(e)} reaches its end of support soon`}</MessageBarTitle>
        {`${sentence(support(e))} ${e.ended ? "Weaknesses found since then get no fix on this device: move it to a supported release." : "Plan the move to a supported release: weaknesses found after that day get no fix on this device."}`}
      </MessageBarBody>
    </MessageBar>
  );
}

/** The operating system's release and how long it is supported. */
export function SupportCard({ d }: { d: Device }) {
  const s = useStyles();
  const e = d.os_support;
  return (
    <Card title="Operating system" aside={e?.tag && <Tags tags={[e.tag]} />}>
      <div className={s.name}>{d.os_name || d.os_platform || "Not known"}</div>
      <div className={s.quiet}>{e ? sentence(support(e)) : "The loaded intelligence does not say how long this release is supported."}</div>
      {e?.latest && <div className={s.quiet}>{`Newest release of ${releaseName(e)}: ${e.latest}`}</div>}
    </Card>
  );
}
