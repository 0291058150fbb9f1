import { describe, expect, it } from "vitest";
import { classification, determinations, isTechnique, riskWord, spaced, techniqueIds } from "./alerts";

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
  it("reads techniques", () => {
    expect(techniqueIds("t1053.003, T1021  x")).toEqual(["T1053.003", "T1021", "X"]);
    expect(["T1053.003", "T1021", "X", "T10", "T1053.3"].filter(isTechnique)).toEqual(["T1053.003", "T1021"]);
  });
  it("lets every classification be something else", () => {
    for (const list of Object.values(determinations)) expect(list).toContain("Other");
  });
});
