import { Button, MessageBar, MessageBarBody, makeStyles } from "@fluentui/react-components";
import { Copyable } from "../../ui/Copy";

const useStyles = makeStyles({ box: { display: "flex", flexDirection: "column", gap: "12px" }, go: { alignSelf: "flex-start" } });

/** Fresh recovery codes, shown this once. */
export function RecoverySet({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  const s = useStyles();
  return (
    <div className={s.box}>
      <MessageBar intent="warning" layout="multiline">
        <MessageBarBody>Keep these recovery codes where you find them without this device. Each lets you in once when your app or passkey is lost. They are not shown again.</MessageBarBody>
      </MessageBar>
      <Copyable text={codes.join("\n")} what="recovery codes" />
      <Button className={s.go} appearance="primary" onClick={onDone}>I have kept them</Button>
    </div>
  );
}
