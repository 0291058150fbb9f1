import { describe, expect, it } from "vitest";
import { alertSource, classification, determinations, isTechnique, riskWord, spaced, techniqueIds } from "./alerts";

describe("words of alerts", () => {
  it("parts names into words", () => {
    expect(spaced("CommandAndControl")).toBe("Command and control");
    expect(spaced("Malware")).toBe("Malware");
  });
  it("names what is not set", () => {
    expect(classification("")).toBe("Not set");
    expect(classification("FalsePositive")).toBe("False positive");
    expect(riskWord("None")).toBe("No known risks");
    expect(riskWord("High")).toBe("High");
  });
  it("says that the demo's alerts were raised by nobody", () => {
    const a = { source: "CustomDetection", simulated: true, maker: "demo" };
    expect(alertSource(a)).toBe("Simulated");
    expect(alertSource({ ...a, maker: "alice" })).toBe("Raised by a person");
    expect(alertSource({ ...a, simulated: false })).toBe("Raised by a person");
    expect(alertSource({ ...a, source: "ThirdPartySensors", maker: "siem" })).toBe("Raised by a program");
  });
  it("reads techniques", () => {
    expect(techniqueIds("t1053.003, T1021  x")).toEqual(["T1053.003", "T1021", "X"]);
    expect(["T1053.003", "T1021", "X", "T10", "T1053.3"].filter(isTechnique)).toEqual(["T1053.003", "T1021"]);
  });
  it("lets every classification be something else", () => {
    for (const list of Object.values(determinations)) expect(list).toContain("Other");
  });
});
