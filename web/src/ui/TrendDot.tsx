import { makeStyles, tokens } from "@fluentui/react-components";
import { useId, useRef, useState, type ReactNode } from "react";

/** A moment of a trend on which something happened. */
export interface TrendMark {
  /** Milliseconds. */
  at: number;
  /** What it is, for screen readers. */
  label: string;
  /** What is shown on hover and focus; it may hold links. */
  content: ReactNode;
}

const useStyles = makeStyles({
  place: { position: "absolute", width: 0, height: 0 },
  dot: {
    position: "absolute",
    left: "-12px",
    top: "-12px",
    width: "24px",
    height: "24px",
    padding: 0,
    border: "none",
    background: "none",
    borderRadius: "50%",
    cursor: "pointer",
    "&::after": { content: '""', position: "absolute", left: "6px", top: "6px", width: "12px", height: "12px", boxSizing: "border-box", borderRadius: "50%", backgroundColor: tokens.colorPaletteRedBackground3, border: `2px solid ${tokens.colorNeutralBackground1}`, boxShadow: tokens.shadow2 },
    "&:hover::after": { transform: "scale(1.25)" },
    "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  panel: {
    position: "absolute",
    top: "12px",
    left: 0,
    zIndex: 20,
    width: "340px",
    maxWidth: "70vw",
    boxSizing: "border-box",
    padding: "12px 14px",
    borderRadius: tokens.borderRadiusLarge,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    boxShadow: tokens.shadow16,
    backgroundColor: tokens.colorNeutralBackground1,
    color: tokens.colorNeutralForeground1,
  },
});

/** A dot on a trend; hover or focus shows its content, Escape hides it. */
export function TrendDot({ mark, left, top }: { mark: TrendMark; left: number; top: number }) {
  const s = useStyles();
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  return (
    <div
      ref={box}
      className={s.place}
      style={{ left: `${left * 100}%`, top: `${top * 100}%`, zIndex: open ? 21 : 1 }}
      onPointerEnter={() => setOpen(true)}
      onPointerLeave={() => setOpen(false)}
      onFocus={() => setOpen(true)}
      onBlur={(e) => { if (!box.current?.contains(e.relatedTarget)) setOpen(false); }}
      onKeyDown={(e) => {
        if (e.key !== "Escape" || !open) return;
        e.stopPropagation();
        setOpen(false);
      }}
    >
      <button type="button" className={s.dot} aria-label={mark.label} aria-expanded={open} aria-controls={open ? id : undefined} onClick={() => setOpen(true)} />
      {open && <div id={id} role="group" aria-label={mark.label} className={s.panel} style={{ transform: `translateX(${-left * 100}%)` }}>{mark.content}</div>}
    </div>
  );
}
