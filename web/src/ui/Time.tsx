import { useSyncExternalStore } from "react";
import { ago, day, moment, time } from "../lib/format";

let minute = new Date();
const readers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(tell: () => void): () => void {
  readers.add(tell);
  timer ??= setInterval(() => {
    minute = new Date();
    readers.forEach((r) => r());
  }, 30_000);
  return () => {
    readers.delete(tell);
    if (readers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** How long ago something was, with the moment itself on hover; it stays true while the page is open. */
export function Ago({ at }: { at: string | undefined }) {
  const now = useSyncExternalStore(subscribe, () => minute);
  const d = time(at);
  if (!d) return <span>–</span>;
  return (
    <time dateTime={d.toISOString()} title={moment(d)}>
      {ago(d, now)}
    </time>
  );
}

/** A day, with the moment itself on hover. */
export function Day({ at }: { at: string | undefined }) {
  const d = time(at);
  if (!d) return <span>–</span>;
  return (
    <time dateTime={d.toISOString()} title={moment(d)}>
      {day(d)}
    </time>
  );
}

/** Day and time of day. */
export function Moment({ at }: { at: string | undefined }) {
  const d = time(at);
  if (!d) return <span>–</span>;
  return <time dateTime={d.toISOString()}>{moment(d)}</time>;
}
