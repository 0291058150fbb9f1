import { expect, test } from "vitest";
import { readIndicators, records } from "./indicators";

const head = "type,value,action,title,description,severity,expires_at,device_groups,generate_alert\n";

test("fields may hold commas, quotes and line ends, and a record has the line on which it begins", () => {
  expect(records('a,"b,""c""\r\nd",\r\n\r\n"e"\n')).toEqual([{ line: 1, fields: ["a", 'b,"c"\r\nd', ""] }, { line: 4, fields: ["e"] }]);
  expect(records("a,b")).toEqual([{ line: 1, fields: ["a", "b"] }]);
});

test("a line is an indicator, or says why it is none", () => {
  const groups = [{ id: 7, name: "Finance" }, { id: 8, name: "Web" }];
  const { good, wrong } = readIndicators(`${head}ipaddress, 192.0.2.7 ,allow,t,d,,,finance;web,\nUrl,x,Audit,t,d,high,2099-01-01T00:00:00Z,,\nUrl,x,Audit,t,d,Worse,,,\nUrl,x,Audit,t,d,,soon,,\nUrl,x,Audit,t,d,,,Nobody,\nx,y,Audit,t,d\nUrl,y,x,t,d\nUrl,y,Block,t,d,,0001-01-01T00:00:00Z,,false\n`, groups);
  expect(good).toEqual([
    { line: 2, edit: { type: "IpAddress", value: "192.0.2.7", action: "Allowed", title: "t", description: "d", severity: "Informational", generate_alert: false, device_groups: [7, 8] } },
    { line: 3, edit: { type: "Url", value: "x", action: "Audit", title: "t", description: "d", severity: "High", generate_alert: true, expires_at: "2099-01-01T00:00:00.000Z" } },
    { line: 9, edit: { type: "Url", value: "y", action: "Block", title: "t", description: "d", severity: "Informational", generate_alert: false } },
  ]);
  expect(wrong.map((w) => `${w.line} ${w.error}`)).toEqual(["4 “Worse” is no severity", "5 “soon” is no time", "6 there is no device group “Nobody”", "7 “x” is no type of indicators", "8 “x” is no action"]);
});

test("a file without a heading is refused", () => {
  expect(() => readIndicators("Url,x,Audit,t,d\n", [])).toThrow(/missing: type, value, action, title, description/);
});
