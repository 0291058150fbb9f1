/** What pages of the settings read and change; the shell of the console does not load it. */
import { queryOptions } from "@tanstack/react-query";
import type { Rule } from "../lib/rules";
import { api, ok } from "./client";
import { list, one } from "./queries";
import type { InaccuracyReport, NewTokenIn } from "./schema";

type Query = Record<string, string>;

export const tagRules = one(["tag-rules"], (signal) => api.GET("/tag-rules", { signal }));
/** What rules of a device group or a tag would take; id 0 is one that does not exist yet. */
export const previewRules = (kind: "group" | "tag", id: number, rules: Rule[]) =>
  queryOptions({
    queryKey: [kind === "group" ? "device-groups" : "tag-rules", "preview", id, rules],
    queryFn: ({ signal }) => ok(api.POST(kind === "group" ? "/device-groups/preview" : "/tag-rules/preview", { body: { id, rules }, signal })),
  });
export const auditWords = one(["audit", "words"], (signal) => api.GET("/audit/words", { signal }));
export const auditLog = (q: Query) => list(["audit"], q, (query, signal) => api.GET("/audit", { params: { query }, signal }));
export const inaccuracies = (q: Query) => list(["inaccuracies"], q, (query, signal) => api.GET("/inaccuracies", { params: { query }, signal }));
export const reportInaccuracy = (body: InaccuracyReport) => ok(api.POST("/inaccuracies", { body }));
export const setInaccuracyStatus = (id: string, status: "open" | "resolved") => ok(api.PUT("/inaccuracies/{id}/status", { params: { path: { id } }, body: { status } }));
export const tokens = one(["tokens"], (signal) => api.GET("/tokens", { signal }));
export const syncIntel = () => ok(api.POST("/intel/sync"));
export const cancelJob = (id: string) => ok(api.DELETE("/jobs/{id}", { params: { path: { id } } }));
export const createToken = (body: NewTokenIn) => ok(api.POST("/tokens", { body }));
export const revokeToken = (id: string) => ok(api.DELETE("/tokens/{id}", { params: { path: { id } } }));
interface RuleSet { id: number; name: string; description: string; rules: Rule[] }
export const saveDeviceGroup = ({ id, ...body }: RuleSet) => ok(id === 0 ? api.POST("/device-groups", { body }) : api.PUT("/device-groups/{id}", { params: { path: { id } }, body }));
export const deleteDeviceGroup = (id: number) => ok(api.DELETE("/device-groups/{id}", { params: { path: { id } } }));
export const orderDeviceGroups = (order: number[]) => ok(api.PUT("/device-groups/order", { body: { order } }));
export const saveTagRule = ({ id, ...body }: RuleSet) => ok(id === 0 ? api.POST("/tag-rules", { body }) : api.PUT("/tag-rules/{id}", { params: { path: { id } }, body }));
export const deleteTagRule = (id: number) => ok(api.DELETE("/tag-rules/{id}", { params: { path: { id } } }));
