import { describe, expect, it } from "vitest";
import { place } from "./entityGraph";

const nodes = (...ids: string[]) => ids.map((id) => ({ id, kind: "process", name: id }));
const edge = (from: string, to: string) => ({ from, to, label: "started" });

describe("places of entities", () => {
  it("go from left to right, and what one started stands below each other", () => {
    const p = new Map(place(nodes("sshd", "bash", "curl", "ls", "loot"), [edge("sshd", "bash"), edge("bash", "curl"), edge("bash", "ls"), edge("curl", "loot")]).map((x) => [x.id, x]));
    expect(["sshd", "bash", "curl", "loot"].map((id) => p.get(id)?.column)).toEqual([0, 1, 2, 3]);
    expect(p.get("ls")?.column).toBe(2);
    expect(p.get("ls")?.row).not.toBe(p.get("curl")?.row);
  });
  it("are different for every entity", () => {
    const ids = Array.from({ length: 10 }, (_, i) => `n${i}`);
    const all = place(nodes(...ids), ids.slice(1).map((id) => edge("n0", id)));
    expect(new Set(all.map((x) => `${x.column} ${x.row}`)).size).toBe(10);
  });
  it("end on a circle", () => {
    const all = place(nodes("a", "b", "c"), [edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("c", "x")]);
    expect(all).toHaveLength(3);
    expect(new Set(all.map((x) => `${x.column} ${x.row}`)).size).toBe(3);
  });
});
