import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkCircleFilled, DismissRegular } from "@fluentui/react-icons";
import { useEffect, useSyncExternalStore } from "react";

/** What was done on the page before, which this one confirms. */
let said = "";
const readers = new Set<() => void>();

/** Confirms something, for a few seconds, on the page that shows `Said`. */
export function say(text: string): void {
  said = text;
  for (const tell of readers) tell();
}

const subscribe = (tell: () => void) => {
  readers.add(tell);
  return () => void readers.delete(tell);
};

const useStyles = makeStyles({
  toast: {
    position: "fixed", right: "24px", bottom: "24px", zIndex: 1000, maxWidth: "min(420px, calc(100vw - 48px))", display: "flex", alignItems: "center", gap: "10px", padding: "10px 8px 10px 14px",
    borderRadius: tokens.borderRadiusMedium, border: `1px solid ${tokens.colorNeutralStroke2}`, backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorNeutralForeground1, boxShadow: tokens.shadow16,
  },
  icon: { display: "inline-flex", fontSize: "20px", color: tokens.colorStatusSuccessForeground1, flexShrink: 0 },
});

const shownFor = 10_000;

/** The toast of what was said last; it goes by itself, or by its button. */
export function Said() {
  const s = useStyles();
  const text = useSyncExternalStore(subscribe, () => said);
  useEffect(() => {
    if (text === "") return undefined;
    const end = setTimeout(() => say(""), shownFor);
    return () => clearTimeout(end);
  }, [text]);
  return (
    <div role="status" aria-live="polite">
      {text !== "" && (
        <div className={s.toast}>
          <span className={s.icon} aria-hidden><CheckmarkCircleFilled /></span>
          {text}
          <Button appearance="subtle" size="small" icon={<DismissRegular />} aria-label="Dismiss" onClick={() => say("")} />
        </div>
      )}
    </div>
  );
}
