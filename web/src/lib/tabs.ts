/**
 * Which tabs of a row have no room in it, by their widths: the first ones stay, and the
 * selected one always. When not all fit, `more` is what the button of the others takes.
 */
export function noRoom(widths: readonly number[], selected: number, room: number, more: number): number[] {
  const sum = widths.reduce((a, b) => a + b, 0);
  if (sum <= room) return [];
  let left = room - more - (widths[selected] ?? 0);
  const out: number[] = [];
  widths.forEach((w, i) => {
    if (i === selected) return;
    if (out.length === 0 && w <= left) left -= w;
    else out.push(i);
  });
  return out;
}
