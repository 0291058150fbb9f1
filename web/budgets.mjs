// Fails the build when the console grows past its budgets (kB after gzip).
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const limits = { entry: 180, page: 40, total: 570 };
const dir = new URL("./dist/assets/", import.meta.url);
const html = readFileSync(new URL("./dist/index.html", import.meta.url), "utf8");
const files = readdirSync(dir)
  .filter((f) => f.endsWith(".js") || f.endsWith(".css"))
  .map((f) => ({ name: f, kb: gzipSync(readFileSync(new URL(f, dir)), { level: 9 }).length / 1000, entry: html.includes(`/assets/${f}`) }))
  .sort((a, b) => b.kb - a.kb);
const sum = (list) => list.reduce((n, f) => n + f.kb, 0);
const entry = sum(files.filter((f) => f.entry));
const total = sum(files);
const worst = files.find((f) => !f.entry);
const lines = [
  ["first load (entry and what it preloads)", entry, limits.entry],
  [`largest page chunk (${worst?.name ?? "none"})`, worst?.kb ?? 0, limits.page],
  ["everything", total, limits.total],
];
let bad = 0;
for (const [what, kb, limit] of lines) {
  const over = kb > limit;
  if (over) bad = 1;
  console.log(`${over ? "OVER  " : "within"}  ${kb.toFixed(1).padStart(6)} kB of ${limit} kB  ${what}`);
}
if (bad) for (const f of files.slice(0, 12)) console.log(`        ${f.kb.toFixed(1).padStart(6)} kB  ${f.name}${f.entry ? "  (first load)" : ""}`);
process.exit(bad);
