import { FluentProvider, webLightTheme } from "@fluentui/react-components";
import { TargetArrowFilled } from "@fluentui/react-icons";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState, type ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { DataTable, type Column } from "./DataTable";
import { Donut } from "./Donut";
import { eventGroups } from "../lib/timeline";
import { EventIcon } from "./EventKind";
import { FilterPanel, type FilterGroup } from "./FilterPanel";
import { FilterPills } from "./FilterPills";
import { Menu } from "./Menu";
import { Severity } from "./Severity";
import { ThreatIcons } from "./Threats";

afterEach(cleanup);
Element.prototype.scrollIntoView = vi.fn(); // jsdom has no layout

const show = (node: ReactNode) => render(<FluentProvider theme={webLightTheme}>{node}</FluentProvider>);

interface Row {
  id: string;
  n: number;
}
const rows: Row[] = [{ id: "a", n: 1 }, { id: "b", n: 2 }, { id: "c", n: 3 }];
const columns: Column<Row>[] = [
  { key: "id", title: "Name", width: 100, sort: { key: "id", first: "asc" }, render: (r) => <a href={`#${r.id}`}>{r.id}</a> },
  { key: "n", title: "Number", width: 100, align: "end", sort: { key: "n", first: "desc" }, render: (r) => r.n },
  { key: "x", title: "Plain", width: 100, render: () => "<b>text</b>" },
];

function Table({ onSort = vi.fn(), onOpen = vi.fn(), start = "" }: { onSort?: () => void; onOpen?: (k: string) => void; start?: string }) {
  const [open, setOpen] = useState(start);
  return (
    <DataTable
      label="Rows"
      columns={columns}
      rows={rows}
      rowKey={(r) => r.id}
      sort={["-n", "id"]}
      onSort={onSort}
      open={open}
      onOpen={(k) => {
        setOpen(k);
        onOpen(k);
      }}
      compact={false}
      busy={false}
    />
  );
}

test("a table says its order, and Shift adds a column to it", async () => {
  const onSort = vi.fn();
  show(<Table onSort={onSort} />);
  expect(screen.getByRole("columnheader", { name: /Number/ }).getAttribute("aria-sort")).toBe("descending");
  expect(screen.getByRole("columnheader", { name: /Name/ }).getAttribute("aria-sort")).toBe("ascending");
  expect(screen.getByRole("columnheader", { name: "Plain" }).getAttribute("aria-sort")).toBeNull();
  const user = userEvent.setup();
  await user.click(screen.getByRole("button", { name: /Number/ }));
  expect(onSort).toHaveBeenLastCalledWith("n", false, "desc");
  await user.keyboard("{Shift>}");
  await user.click(screen.getByRole("button", { name: /Name/ }));
  expect(onSort).toHaveBeenLastCalledWith("id", true, "asc");
});

test("markup in a cell is text", () => {
  show(<Table />);
  expect(screen.getAllByText("<b>text</b>")).toHaveLength(3);
});

test("j, k and o walk and open rows; beside an open flyout j and k move it", async () => {
  const onOpen = vi.fn();
  show(<Table onOpen={onOpen} />);
  const user = userEvent.setup();
  await user.keyboard("jjk");
  expect(document.activeElement?.textContent).toBe("a");
  expect(onOpen).not.toHaveBeenCalled();
  await user.keyboard("jo");
  expect(onOpen).toHaveBeenLastCalledWith("b");
  await user.keyboard("j");
  expect(onOpen).toHaveBeenLastCalledWith("c");
});

test("a click on a row opens it, a click on its link does not", async () => {
  const onOpen = vi.fn();
  show(<Table onOpen={onOpen} />);
  const user = userEvent.setup();
  await user.click(screen.getByRole("link", { name: "a" }));
  expect(onOpen).not.toHaveBeenCalled();
  await user.click(screen.getByRole("cell", { name: "2" }));
  expect(onOpen).toHaveBeenCalledWith("b");
});

const groups: FilterGroup[] = [
  { name: "severity", title: "Severity", options: [{ value: "High", label: "High" }, { value: "Low", label: "Low" }] },
  { name: "vendor", title: "Vendor", options: [], free: { hint: "debian" } },
];

test("the filter panel changes nothing before Apply", async () => {
  const onApply = vi.fn();
  show(<FilterPanel groups={groups} values={{ severity: ["High"] }} onApply={onApply} onClose={vi.fn()} />);
  const user = userEvent.setup();
  await user.click(screen.getByRole("checkbox", { name: "Low" }));
  await user.type(screen.getByRole("textbox", { name: "Vendor: another value" }), "debian{Enter}");
  expect(onApply).not.toHaveBeenCalled();
  await user.click(screen.getByRole("button", { name: "Apply" }));
  expect(onApply).toHaveBeenCalledWith({ severity: ["High", "Low"], vendor: ["debian"] });
});

test("what nothing can have says why and cannot be chosen; one of an address can be lifted", async () => {
  const onApply = vi.fn();
  const barred: FilterGroup = { name: "event_group", title: "Event group", options: eventGroups.map((g) => ({ value: g.name, label: g.name, why: g.why })) };
  show(<FilterPanel groups={[barred]} values={{ event_group: ["Registry events"] }} onApply={onApply} onClose={vi.fn()} />);
  const user = userEvent.setup();
  const box = (name: string) => screen.getByRole<HTMLInputElement>("checkbox", { name: new RegExp(`^${name}`) });
  expect(screen.getAllByRole<HTMLInputElement>("checkbox").filter((b) => b.disabled)).toHaveLength(5);
  expect(screen.getByRole("checkbox", { name: "Firewall events Comes with agents for Windows." })).toHaveProperty("disabled", true);
  expect(box("Alert-related events").disabled).toBe(false);
  await user.click(box("Firewall events"));
  await user.click(box("Techniques"));
  await user.click(box("Registry events"));
  await user.click(screen.getByRole("button", { name: "Apply" }));
  expect(onApply).toHaveBeenCalledWith({ event_group: ["Techniques"] });
});

test("each filter that holds is a pill that can go", async () => {
  const onRemove = vi.fn();
  show(<FilterPills groups={groups} values={{ severity: ["High", "Low"], vendor: [] }} onRemove={onRemove} onClear={vi.fn()} onEdit={vi.fn()} />);
  expect(within(screen.getByRole("list", { name: "Filters that hold" })).getByText("High, Low")).toBeTruthy();
  expect(screen.queryByText(/Vendor/)).toBeNull();
  await userEvent.setup().click(screen.getByRole("button", { name: "Remove filter Severity" }));
  expect(onRemove).toHaveBeenCalledWith("severity");
});

test("severity is a word, threats have names, a doughnut is a sentence", () => {
  show(
    <>
      <Severity level="None" />
      <ThreatIcons facts={{ exploit: "ExploitIsPublic", kev: true, ransomware: false, epss: 0 }} />
      <Donut unit="weakness" parts={[{ key: "h", label: "High", value: 3, fill: "red" }, { key: "l", label: "Low", value: 0, fill: "blue" }]} />
    </>,
  );
  expect(screen.getByText("Not rated")).toBeTruthy();
  expect(screen.getByRole("img", { name: "Exploit is publicly available" })).toBeTruthy();
  expect(screen.getByRole("img", { name: /CISA/ })).toBeTruthy();
  expect(screen.getByRole("img", { name: "3 weaknesses: 3 High" })).toBeTruthy();
});

test("one fact has one icon, in lists and in events", () => {
  const paths = (of: HTMLElement) => [...of.querySelectorAll("path")].map((p) => p.getAttribute("d"));
  const drawn = (node: ReactNode) => {
    const { container, unmount } = show(node);
    const out = paths(container);
    unmount();
    return out;
  };
  const threat = (more: object) => drawn(<ThreatIcons facts={{ exploit: "NoExploit", kev: false, ransomware: false, epss: 0, ...more }} />);
  for (const [exploit, kind] of [["ExploitIsPublic", "NewPublicExploit"], ["ExploitIsVerified", "ExploitVerified"], ["ExploitIsInKit", "ExploitInKit"]] as const) expect(threat({ exploit }), exploit).toEqual(drawn(<EventIcon kind={kind} />));
  expect(threat({ kev: true })).toEqual(drawn(<EventIcon kind="AddedToKEV" />));
  const [bug] = threat({ exploit: "ExploitIsPublic" });
  for (const exploit of ["ExploitIsVerified", "ExploitIsInKit"]) expect(threat({ exploit })).toEqual([bug, expect.any(String)]); // the bug with a badge
  expect(threat({ exploit: "ExploitIsVerified" })).not.toEqual(threat({ exploit: "ExploitIsInKit" }));
  expect(threat({ alerts: 1 })).toEqual(drawn(<TargetArrowFilled />));
});

test("a menu opens, moves by arrows, and closes with the focus back on its button", async () => {
  const chosen = vi.fn();
  show(<Menu label="Things" entries={[{ kind: "action", key: "1", text: "One", onSelect: vi.fn() }, { kind: "rule", key: "r" }, { kind: "action", key: "2", text: "Two", onSelect: chosen }]} trigger={(t) => <button {...t}>Open</button>} />);
  const user = userEvent.setup();
  await user.click(screen.getByRole("button", { name: "Open" }));
  expect(document.activeElement?.textContent).toBe("One");
  await user.keyboard("{ArrowDown}{Enter}");
  expect(chosen).toHaveBeenCalledOnce();
  expect(screen.queryByRole("menu")).toBeNull();
  expect(document.activeElement?.textContent).toBe("Open");
  await user.keyboard("{Enter}{Escape}");
  expect(screen.queryByRole("menu")).toBeNull();
});
