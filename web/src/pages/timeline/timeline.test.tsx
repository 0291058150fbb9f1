import { FluentProvider, webLightTheme } from "@fluentui/react-components";
import { act, cleanup, render, renderHook, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { Timeline, TimelineCounts, TimelineEvent } from "../../api/schema";
import { Completeness } from "./Completeness";
import { EntityGraph } from "./EntityGraph";
import { TimelineChart } from "./TimelineChart";
import { useFrozen } from "./useFrozen";

afterEach(cleanup);
Element.prototype.scrollIntoView = vi.fn(); // jsdom has no layout
const show = (what: React.ReactNode) => render(<FluentProvider theme={webLightTheme}>{what}</FluentProvider>);

test("rows stay while somebody reads, and those that wait are counted", () => {
  const rows = (...ids: string[]) => ids.map((id) => ({ id, flagged: false }));
  const { result, rerender } = renderHook(({ fresh, reading, key }) => useFrozen(key, fresh, reading), { initialProps: { fresh: rows("b", "a"), reading: false, key: "q" } });
  expect(result.current.rows?.map((r) => r.id)).toEqual(["b", "a"]);
  rerender({ fresh: rows("c", "b"), reading: false, key: "q" });
  expect(result.current.rows?.map((r) => r.id)).toEqual(["c", "b"]);
  rerender({ fresh: rows("z", "y"), reading: true, key: "q" }); // nothing of before is in the newest page
  expect(result.current.rows?.map((r) => r.id)).toEqual(["c", "b"]);
  expect(result.current.waiting).toBe(2);
  rerender({ fresh: [{ id: "z", flagged: false }, { id: "c", flagged: true }], reading: true, key: "q" });
  expect(result.current.rows?.[0]).toEqual({ id: "c", flagged: true }); // what is known of a row goes on
  act(() => result.current.take());
  expect(result.current.rows?.map((r) => r.id)).toEqual(["z", "c"]);
  expect(result.current.waiting).toBe(0);
  rerender({ fresh: rows("m"), reading: true, key: "another" });
  expect(result.current.rows?.map((r) => r.id)).toEqual(["m"]);
});

const whole: Timeline = { items: [], cursor: "", as_of: "2026-11-26T14:00:00Z", complete: true, missing: [], missing_total: 0, missing_pauses: 0, skew_seconds: 0, damaged: 0, unreadable: [] };

test("what is missing is listed with its reason, or said not to be known", async () => {
  show(<Completeness t={{ ...whole, complete: false, missing_total: 5, missing_pauses: 2, missing: [{ kind: "image", from: 3, to: 3, count: 0, after: "2026-11-26T13:00:00Z", before: "2026-11-26T13:01:00Z", reason: "nothing was recorded" }, { kind: "file", from: 7, to: 7, count: 0, after: "2026-11-26T13:00:00Z", before: "2026-11-26T13:01:00Z", reason: "nothing was recorded" }, { kind: "process", from: 2, to: 4, count: 3, after: "2026-11-26T13:00:00Z", before: "2026-11-26T13:01:00Z", reason: "budget" }, { kind: "dns", from: 9, to: 10, count: 2, after: "2026-11-26T13:00:00Z", before: "2026-11-26T13:01:00Z", reason: "" }] }} />);
  await userEvent.setup().click(screen.getByRole("button", { name: "5 events missing, 2 gaps of unknown size" }));
  const list = (await screen.findByRole("list")).textContent;
  expect(list).toMatch(/3 process events \(2 – 4\).*budget/);
  expect(list).toMatch(/An unknown number of image, file events between .*nothing was recorded/);
  expect(list).toMatch(/2 dns events \(9 – 10\).*not known why/);
});

test("a timeline that is whole says so, and how far the clock is off", () => {
  show(<Completeness t={{ ...whole, skew_seconds: -7200 }} />);
  expect(screen.getByText("0 events missing")).toBeTruthy();
  expect(screen.getByText("Clock 2 h ahead")).toBeTruthy();
});

test("a log of which parts cannot be read is not whole", () => {
  show(<Completeness t={{ ...whole, complete: false, damaged: 1 }} />);
  expect(screen.getByRole("button", { name: "Parts cannot be read" })).toBeTruthy();
});

test("what cannot be read is listed with what was in it and when", async () => {
  show(<Completeness t={{ ...whole, complete: false, missing_total: 2, missing: [{ kind: "dns", from: 9, to: 10, count: 2, after: "2026-11-26T13:00:00Z", before: "2026-11-26T13:01:00Z", reason: "" }], damaged: 2, unreadable: [{ what: "segment", events: 2000, bytes: 0, from: "2026-11-26T13:00:00Z", to: "2026-11-26T14:00:00Z" }, { what: "log", events: 0, bytes: 1234 }] }} />);
  await userEvent.setup().click(screen.getByRole("button", { name: "2 events missing, parts cannot be read" }));
  const text = (await screen.findByRole("dialog")).textContent;
  expect(text).toMatch(/2 parts of the log.*may have been in them/);
  expect(text).toMatch(/A file with 2,000 events of all devices, .* – /);
  expect(text).toMatch(/The write-ahead log, 1,234 bytes, of an unknown time/);
});

test("the highlighted part moves by keyboard", async () => {
  const range = { from: Date.parse("2026-11-26T00:00:00Z"), to: Date.parse("2026-11-27T00:00:00Z") };
  const counts: TimelineCounts = { from: "2026-11-26T00:00:00Z", to: "2026-11-27T00:00:00Z", step_seconds: 3600, total: 3, groups: { "Process events": 3 }, first: "", last: "", buckets: [{ start: "2026-11-26T05:00:00Z", groups: { "Process events": 3 } }],
    alerts: [{ id: "da1_1", title: "A shell", severity: "High", time: "2026-11-26T05:10:00Z" }, { id: "da2_2", title: "Before it", severity: "Low", time: "2026-11-25T05:10:00Z" }],
    investigations: [{ id: "7", state: "Benign", started_at: "2026-11-26T06:00:00Z" }], flags: [{ id: "1-1-1", time: "2026-11-26T05:20:00Z" }] };
  const onSelect = vi.fn();
  const onAlert = vi.fn();
  const onInvestigation = vi.fn();
  const onFlag = vi.fn();
  show(<TimelineChart counts={counts} range={range} sel={undefined} missing={[]} onSelect={onSelect} onZoom={vi.fn()} onAlert={onAlert} onInvestigation={onInvestigation} onFlag={onFlag} />);
  const user = userEvent.setup();
  expect(screen.queryByRole("button", { name: /Before it/ })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Alert: A shell, High" }));
  expect(onAlert).toHaveBeenLastCalledWith("da1_1");
  await userEvent.click(screen.getByRole("button", { name: "Investigation 7: No threats found" }));
  expect(onInvestigation).toHaveBeenLastCalledWith("7");
  await user.click(screen.getByRole("button", { name: /Events before the flagged one/ }));
  expect(onFlag).toHaveBeenLastCalledWith(Date.parse("2026-11-26T05:20:00Z"));
  screen.getByRole("slider", { name: "End of the highlighted range" }).focus();
  await user.keyboard("{ArrowLeft}");
  expect(onSelect).toHaveBeenLastCalledWith({ from: range.from, to: range.to - 3_600_000 });
  await user.keyboard("{End}");
  expect(onSelect).toHaveBeenLastCalledWith(undefined);
  expect(screen.getByRole("button", { name: "Zoom in" })).toHaveProperty("disabled", true);
  expect(screen.getByText(/3 of 3 events/)).toBeTruthy();
});

test("a click on an entity chooses it", async () => {
  const onChoose = vi.fn();
  const node = (id: string, focus = false) => ({ id, kind: "process", name: id, focus, facts: [] });
  const e = { id: "1-1-1", nodes: [node("sshd"), node("bash", true)], edges: [{ from: "sshd", to: "bash", label: "started" }] } as unknown as TimelineEvent;
  show(<EntityGraph e={e} chosen="bash" onChoose={onChoose} />);
  expect(screen.getByRole("button", { name: "bash" }).getAttribute("aria-pressed")).toBe("true");
  await userEvent.setup().click(screen.getByRole("button", { name: "sshd" }));
  expect(onChoose).toHaveBeenCalledWith("sshd");
});
