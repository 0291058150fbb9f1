import { Button, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { CheckmarkRegular, CopyRegular } from "@fluentui/react-icons";
import { useState } from "react";

const useStyles = makeStyles({
  root: { display: "flex", alignItems: "flex-start", gap: "8px", backgroundColor: tokens.colorNeutralBackground3, border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, padding: "8px 8px 8px 14px" },
  text: { flexGrow: 1, minWidth: 0, margin: 0, padding: "5px 0", fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, lineHeight: "20px", whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  mono: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
});

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no clipboard without a secure context: the text can still be selected
  }
}

/** A button that copies a text. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  return (
    <Button
      appearance="subtle"
      size="small"
      icon={done ? <CheckmarkRegular /> : <CopyRegular />}
      aria-label={done ? `${what} copied` : `Copy ${what}`}
      title={done ? "Copied" : `Copy ${what}`}
      onClick={() => {
        void copy(text).then((ok) => {
          setDone(ok);
          setTimeout(() => setDone(false), 2000);
        });
      }}
    />
  );
}

/** A text to copy, such as a command. */
export function Copyable({ text, what }: { text: string; what: string }) {
  const s = useStyles();
  return (
    <div className={s.root}>
      <pre className={s.text} tabIndex={0} aria-label={what} role="group">{text}</pre>
      <CopyButton text={text} what={what} />
    </div>
  );
}

/** A short text in a fixed-width font. */
export function Mono({ children, className }: { children: string; className?: string }) {
  const s = useStyles();
  return <span className={mergeClasses(s.mono, className)}>{children}</span>;
}
