import { Button, MessageBar, MessageBarBody, makeStyles, tokens } from "@fluentui/react-components";
import { explain } from "../../api/client";
import type { Consent } from "../../api/schema";
import { means } from "../../lib/permissions";

const useStyles = makeStyles({
  body: { display: "flex", flexDirection: "column", gap: "14px", "& p": { margin: 0 }, overflowWrap: "anywhere" },
  list: { margin: 0, paddingLeft: "20px", display: "flex", flexDirection: "column", gap: "6px" },
  quiet: { color: tokens.colorNeutralForeground3 },
  row: { display: "flex", justifyContent: "flex-end", gap: "8px" },
});

/** What an application asks, of whom, and the two answers. */
export function Asked({ asked, who, error, busy, onDecide }: { asked: Consent; who: string; error: unknown; busy: boolean; onDecide: (allow: boolean) => void }) {
  const s = useStyles();
  return (
    <div className={s.body}>
      <p>You are signed in as <b>{who}</b>. The application could, on the devices that you see and as far as you may yourself:</p>
      <ul className={s.list}>
        {asked.permissions.map((p) => (
          <li key={p.name}>
            <b>{p.name}</b>
            {means(p.name) && `: ${means(p.name)}`}
            {!p.held && <span className={s.quiet}> – you may not do this now, so neither could it</span>}
          </li>
        ))}
      </ul>
      <p>{asked.refreshes ? "It could do so also when you are away, until you end it under My account." : "It could do so for an hour."}</p>
      {asked.goes !== "" && <p className={s.quiet}>{`You are sent back to ${asked.goes}.`}</p>}
      {asked.remote !== "" && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>{`A device at ${asked.remote} asks. Allow it only if you began this there yourself. If somebody sent you the code, deny it.`}</MessageBarBody>
        </MessageBar>
      )}
      {error !== null && error !== undefined && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(error)}</MessageBarBody></MessageBar>}
      <div className={s.row}>
        <Button disabled={busy} onClick={() => onDecide(false)}>Deny</Button>
        <Button appearance="primary" disabled={busy} onClick={() => onDecide(true)}>Allow</Button>
      </div>
    </div>
  );
}
