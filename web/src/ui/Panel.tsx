import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { ChevronDownRegular, ChevronUpRegular, DismissRegular } from "@fluentui/react-icons";
import { useEffect, useId, useRef, type ReactNode } from "react";

export interface PanelProps {
  title: ReactNode;
  /** Name for screen readers when the title is more than text. */
  label?: string;
  subtitle?: ReactNode;
  actions?: ReactNode;
  tabs?: ReactNode;
  footer?: ReactNode;
  width?: number;
  onClose: () => void;
  onPrevious?: () => void;
  onNext?: () => void;
  children: ReactNode;
}

const useStyles = makeStyles({
  root: {
    position: "fixed",
    top: "48px",
    right: 0,
    bottom: 0,
    zIndex: 100,
    maxWidth: "100vw",
    display: "flex",
    flexDirection: "column",
    backgroundColor: tokens.colorNeutralBackground1,
    color: tokens.colorNeutralForeground1,
    borderLeft: `1px solid ${tokens.colorNeutralStroke2}`,
    boxShadow: tokens.shadow64,
    outline: "none",
    animationName: { from: { transform: "translateX(32px)", opacity: 0 }, to: { transform: "none", opacity: 1 } },
    animationDuration: tokens.durationNormal,
    animationTimingFunction: tokens.curveDecelerateMid,
  },
  head: { display: "flex", gap: "8px", padding: "18px 16px 0 28px", alignItems: "flex-start" },
  words: { flexGrow: 1, minWidth: 0 },
  title: { margin: 0, fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, fontWeight: tokens.fontWeightSemibold, overflowWrap: "anywhere" },
  subtitle: { marginTop: "4px", color: tokens.colorNeutralForeground2, display: "flex", flexWrap: "wrap", gap: "6px 14px", alignItems: "center" },
  tools: { display: "flex", flexShrink: 0 },
  actions: { padding: "12px 24px 0 20px", display: "flex", gap: "4px", flexWrap: "wrap" },
  tabs: { padding: "6px 18px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  line: { borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, marginTop: "14px" },
  body: { flexGrow: 1, minHeight: 0, overflow: "auto", padding: "20px 28px 32px", display: "flex", flexDirection: "column" },
  footer: { padding: "14px 28px", borderTop: `1px solid ${tokens.colorNeutralStroke2}`, display: "flex", gap: "8px" },
});

/**
 * A panel over the right side of the page. The page stays usable beside it;
 * Escape closes it; the focus goes in and comes back to where it was.
 */
export function Panel(p: PanelProps) {
  const s = useStyles();
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const close = useRef(p.onClose);
  useEffect(() => {
    close.current = p.onClose;
  });
  useEffect(() => {
    const before = document.activeElement;
    box.current?.focus({ preventScroll: true });
    const escape = (e: KeyboardEvent) => {
      if (e.key === "Escape" && !e.defaultPrevented && !document.querySelector("[role=menu], [role=alertdialog]")) close.current();
    };
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("keydown", escape);
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <div ref={box} data-panel tabIndex={-1} role="dialog" aria-labelledby={p.label ? undefined : id} aria-label={p.label} className={s.root} style={{ width: p.width ?? 640 }}>
      <div className={s.head}>
        <div className={s.words}>
          <h2 id={id} className={s.title}>{p.title}</h2>
          {p.subtitle && <div className={s.subtitle}>{p.subtitle}</div>}
        </div>
        <div className={s.tools}>
          {(p.onPrevious ?? p.onNext) && (
            <>
              <Button appearance="subtle" icon={<ChevronUpRegular />} aria-label="Previous item (k)" title="Previous item (k)" disabled={!p.onPrevious} onClick={p.onPrevious} />
              <Button appearance="subtle" icon={<ChevronDownRegular />} aria-label="Next item (j)" title="Next item (j)" disabled={!p.onNext} onClick={p.onNext} />
            </>
          )}
          <Button appearance="subtle" icon={<DismissRegular />} aria-label="Close (Esc)" title="Close (Esc)" onClick={p.onClose} />
        </div>
      </div>
      {p.actions && <div className={s.actions}>{p.actions}</div>}
      {p.tabs ? <div className={s.tabs}>{p.tabs}</div> : <div className={s.line} />}
      <div className={s.body} tabIndex={0} role="group" aria-label="Details">{p.children}</div>
      {p.footer && <div className={s.footer}>{p.footer}</div>}
    </div>
  );
}
