import { expect, test } from "vitest";
import { entityOf, entityOfNode, entityPath, hostOf } from "./entity";

test("columns and facts name entities", () => {
  const sum = "AB".repeat(32);
  expect(entityOf("SHA256", sum)).toEqual({ kind: "file", id: sum.toLowerCase() });
  expect(entityOf("InitiatingProcessSHA1", "cd".repeat(20))).toEqual({ kind: "file", id: "cd".repeat(20) });
  expect(entityOf("SHA256", "short")).toBeUndefined();
  expect(entityOf("RemoteIP", "2001:db8::1")).toEqual({ kind: "ip", id: "2001:db8::1" });
  expect(entityOf("RemoteIP", "nonsense")).toBeUndefined();
  expect(entityOf("RemoteUrl", "https://u@WWW.Example.com:8443/a?b")).toEqual({ kind: "domain", id: "www.example.com" });
  expect(entityOf("RemoteUrl", "http://192.0.2.1/")).toBeUndefined();
  expect(entityOf("AccountName", "alice")).toEqual({ kind: "user", id: "alice" });
  expect(entityOf("FileName", "sh")).toBeUndefined();
  expect(entityOf("RemoteIP", 7)).toBeUndefined();
});

test("nodes of the graph name entities", () => {
  expect(entityOfNode("user", "host\\alice")).toEqual({ kind: "user", id: "alice" });
  expect(entityOfNode("url", "example.com.")).toEqual({ kind: "domain", id: "example.com" });
  expect(entityOfNode("process", "sh")).toBeUndefined();
});

test("addresses of pages", () => {
  expect(entityPath({ kind: "user", id: "a/b" })).toBe("/entities/user/a%2Fb");
  expect(hostOf("2001:db8::1")).toBe("");
});
