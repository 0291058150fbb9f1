import { FluentProvider, webLightTheme } from "@fluentui/react-components";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { Donut } from "./Donut";
import { ExposureLevel, Impact, ScoreNumber } from "./Exposure";
import { PlainTable } from "./PlainTable";
import { Trend } from "./Trend";

afterEach(cleanup);

const show = (node: ReactNode) => render(<FluentProvider theme={webLightTheme}>{node}</FluentProvider>);
const minute = 60_000;
const points = [52.31, 52.31, 40.05].map((value, i) => ({ at: Date.UTC(2026, 0, 1) + i * minute, value, version: i < 2 ? 1 : 2, devices: 3 + i }));

test("a level is a word, a score is rounded with all its digits behind it", () => {
  show(<><ExposureLevel level="NoData" reason="it was silent" /><ExposureLevel level="High" /><ScoreNumber value={52.34567} /><Impact value={0.0012345} /></>);
  expect(screen.getByText("No data available")).toBeTruthy();
  expect(screen.getByTitle("it was silent")).toBeTruthy();
  expect(screen.getByText("High")).toBeTruthy();
  expect(screen.getByText("52.3").title).toBe("52.34567");
  expect(screen.getByText("< 0.01").title).toBe("0.0012345 points");
});

test("one score is no trend, and says so", () => {
  show(<Trend label="Score over time" points={points.slice(0, 1)} say={() => ""} />);
  expect(screen.queryByRole("slider")).toBeNull();
  expect(screen.getByText(/one score so far/)).toBeTruthy();
});

test("a trend is read by keyboard, point by point", async () => {
  show(<Trend label="Score over time" points={points} say={(p) => `${p.devices} devices`} />);
  const slider = screen.getByRole("slider", { name: "Score over time" });
  expect(slider.getAttribute("aria-valuetext")).toMatch(/40\.1, 5 devices|40\.0, 5 devices/);
  const user = userEvent.setup();
  await user.tab();
  expect(document.activeElement).toBe(slider);
  await user.keyboard("{ArrowLeft}");
  expect(slider.getAttribute("aria-valuetext")).toMatch(/52\.3, 4 devices/);
  await user.keyboard("{Home}{ArrowLeft}");
  expect(slider.getAttribute("aria-valuenow")).toBe("1");
  await user.keyboard("{End}");
  expect(slider.getAttribute("aria-valuenow")).toBe("3");
});

test("a change of the formula is marked and breaks the line", () => {
  const { container } = show(<Trend label="Score over time" points={points} say={() => ""} />);
  expect(screen.getByText("formula 2")).toBeTruthy();
  expect(container.querySelectorAll("svg path")).toHaveLength(2);
});

test("a segment of a doughnut can be chosen", async () => {
  const chosen = vi.fn();
  const { container } = show(<Donut unit="device" onSelect={chosen} parts={[{ key: "High", label: "High", value: 1, fill: "red" }, { key: "Low", label: "Low", value: 2, fill: "blue" }]} />);
  const segment = container.querySelectorAll("svg path")[1];
  if (!segment) throw new Error("no second segment");
  await userEvent.setup().click(segment);
  expect(chosen).toHaveBeenCalledWith("Low");
});

test("a plain table has a name and column headers", () => {
  show(<PlainTable label="Things" rows={[{ id: "a", n: 1 }]} rowKey={(r) => r.id} columns={[{ key: "id", title: "Name", render: (r) => r.id }, { key: "n", title: "Number", align: "end", render: (r) => r.n }]} />);
  expect(screen.getByRole("table", { name: "Things" })).toBeTruthy();
  expect(screen.getAllByRole("columnheader").map((h) => h.textContent)).toEqual(["Name", "Number"]);
});
