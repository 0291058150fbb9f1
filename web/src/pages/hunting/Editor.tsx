import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { HuntMistake } from "../../api/schema";
import { completions, namesOf, placeOf, tokens as cut, type Completion, type Schema, type TokenKind } from "../../lib/kql";
import { CompletionList } from "./CompletionList";

const font = { fontFamily: tokens.fontFamilyMonospace, fontSize: "13px", lineHeight: "20px", padding: "10px 12px", margin: 0, whiteSpace: "pre" } as const;

const useStyles = makeStyles({
  box: { position: "relative", height: "190px", minHeight: "84px", resize: "vertical", overflow: "hidden", flexShrink: 0, border: `1px solid ${tokens.colorNeutralStrokeAccessible}`, borderRadius: tokens.borderRadiusMedium, backgroundColor: tokens.colorNeutralBackground1, "&:focus-within": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-1px" } },
  under: { ...font, position: "absolute", top: 0, left: 0, minWidth: "100%", minHeight: "100%", boxSizing: "border-box", pointerEvents: "none", color: tokens.colorNeutralForeground1 },
  input: { ...font, position: "absolute", inset: 0, width: "100%", height: "100%", boxSizing: "border-box", border: "none", outline: "none", resize: "none", overflow: "auto", backgroundColor: "transparent", color: "transparent", caretColor: tokens.colorNeutralForeground1 },
  wrong: { textDecorationLine: "underline", textDecorationStyle: "wavy", textDecorationColor: tokens.colorStatusDangerForeground1, textDecorationSkipInk: "none" },
  comment: { color: tokens.colorPaletteGreenForeground1 },
  text: { color: tokens.colorPaletteBerryForeground1 },
  number: { color: tokens.colorPaletteBerryForeground1 },
  table: { color: tokens.colorPaletteMarigoldForeground2, fontWeight: 600 },
  column: { color: tokens.colorBrandForegroundLink },
  operator: { color: tokens.colorPalettePurpleForeground2 },
  function: { color: tokens.colorPaletteTealForeground2 },
  space: {},
  word: {},
  sign: {},
});

/** A text field for queries: colours, completion as one writes, and a mark where something is wrong. Ctrl+Enter runs it. */
export function Editor({ value, schema, mistake, onChange, onRun }: { value: string; schema: Schema | undefined; mistake: HuntMistake | undefined; onChange: (text: string) => void; onRun: () => void }) {
  const s = useStyles();
  const field = useRef<HTMLTextAreaElement>(null);
  const under = useRef<HTMLPreElement>(null);
  const [at, setAt] = useState(-1); // where completion is open
  const [chosen, setChosen] = useState(0);
  const [spot, setSpot] = useState({ left: 0, top: 0 }); // of the field's first letter, as it is scrolled
  const place = useRef(-1); // of the caret after a completion was taken
  const names = useMemo(() => namesOf(schema), [schema]);
  const parts = useMemo(() => cut(value, names), [value, names]);
  const open = at >= 0 ? completions(value, at, schema) : { from: 0, items: [] };
  const items = open.items;
  const pick = Math.min(chosen, items.length - 1);
  useLayoutEffect(() => {
    if (place.current < 0) return;
    field.current?.setSelectionRange(place.current, place.current);
    place.current = -1;
  }, [value]);
  const follow = () => {
    if (under.current && field.current) under.current.style.transform = `translate(${-field.current.scrollLeft}px, ${-field.current.scrollTop}px)`;
  };
  const openAt = (caret: number) => {
    const f = field.current;
    const box = f?.getBoundingClientRect();
    if (f && box && caret >= 0) setSpot({ left: box.left + 12 - f.scrollLeft, top: box.top + 10 - f.scrollTop });
    setAt(caret);
    setChosen(0);
  };
  const take = (c: Completion) => {
    const text = c.kind === "function" ? `${c.text}(` : c.text;
    place.current = open.from + text.length;
    onChange(value.slice(0, open.from) + text + value.slice(at));
    setAt(-1);
    field.current?.focus();
  };
  const keys = (e: KeyboardEvent<HTMLTextAreaElement>) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      setAt(-1);
      onRun();
    } else if (e.key === " " && e.ctrlKey) {
      e.preventDefault();
      openAt(e.currentTarget.selectionStart);
    } else if (items.length > 0) {
      const chosenItem = items[pick];
      if (e.key === "ArrowDown" || e.key === "ArrowUp") {
        e.preventDefault();
        setChosen((pick + (e.key === "ArrowDown" ? 1 : items.length - 1)) % items.length);
      } else if ((e.key === "Enter" || e.key === "Tab") && !e.shiftKey && chosenItem) {
        e.preventDefault();
        take(chosenItem);
      } else if (e.key === "Escape") {
        e.preventDefault();
        setAt(-1);
      } else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(e.key)) setAt(-1);
    }
  };
  const changed = (text: string, caret: number) => {
    const typed = text.length === value.length + 1;
    onChange(text);
    const before = text.slice(0, caret);
    openAt((typed && (/[A-Za-z_]\w*$/.test(before) || /\|\s$/.test(before))) || (at >= 0 && /[\w]$/.test(before)) ? caret : -1);
  };
  const wrong = mistake && mistake.line > 0 ? placeOf(value, mistake.line, mistake.column) : -1;
  const wrongEnd = wrong + Math.max(1, mistake?.length ?? 1);
  const lineStart = value.lastIndexOf("\n", open.from - 1) + 1;
  return (
    <>
    <div className={s.box}>
      <pre ref={under} className={s.under} aria-hidden>
        {parts.map((p) => <Part key={p.at} kind={p.kind} text={p.text} from={p.at} wrong={wrong} wrongEnd={wrongEnd} s={s} />)}
        {"\n "}
      </pre>
      <textarea
        ref={field}
        className={s.input}
        data-drawn-beneath // the text itself is transparent: what is seen is the element before it
        aria-label="Query"
        aria-invalid={wrong >= 0 || undefined}
        aria-autocomplete="list"
        aria-controls={items.length > 0 ? "hunt-completions" : undefined}
        aria-activedescendant={items.length > 0 ? `hunt-completion-${pick}` : undefined}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        maxLength={65_536}
        value={value}
        onChange={(e) => changed(e.target.value, e.target.selectionStart)}
        onKeyDown={keys}
        onScroll={() => { follow(); setAt(-1); }}
        onBlur={() => setAt(-1)}
        onClick={() => setAt(-1)}
      />
    </div>
      {items.length > 0 && (
        <CompletionList
          items={items}
          chosen={pick}
          onTake={take}
          line={value.slice(0, open.from).split("\n").length}
          column={open.from - lineStart}
          spot={spot}
        />
      )}
    </>
  );
}

/** A part of the query in its colour; what is wrong of it is underlined. */
function Part({ kind, text, from, wrong, wrongEnd, s }: { kind: TokenKind; text: string; from: number; wrong: number; wrongEnd: number; s: Record<TokenKind | "wrong", string> }) {
  const a = Math.max(0, wrong - from);
  const b = Math.min(text.length, wrongEnd - from);
  if (wrong < 0 || a >= text.length || b <= 0) return <span className={s[kind]}>{text}</span>;
  return (
    <span className={s[kind]}>
      {text.slice(0, a)}
      <span className={mergeClasses(s[kind], s.wrong)}>{text.slice(a, b)}</span>
      {text.slice(b)}
    </span>
  );
}
