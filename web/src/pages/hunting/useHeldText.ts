import { useEffect, useState } from "react";

/** A text once it has stayed the same for a while (milliseconds). */
export function useHeldText(text: string, wait: number): string {
  const [held, setHeld] = useState(text);
  useEffect(() => {
    const t = setTimeout(() => setHeld(text), wait);
    return () => clearTimeout(t);
  }, [text, wait]);
  return held;
}
