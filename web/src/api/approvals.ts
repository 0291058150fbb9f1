/** Actions on devices, who approves them, and the lockdown. */
import { queryOptions } from "@tanstack/react-query";
import type { RawSearch } from "../lib/search";
import { api, ok } from "./client";
import { list } from "./queries";
import type { ApprovalPolicy } from "./schema";
import type { ExclusionReason } from "../lib/exclusion";

export const approvals = (q: RawSearch) => list(["approvals"], q, (query, signal) => api.GET("/approvals", { params: { query }, signal }));
export const approval = (id: string) => queryOptions({ queryKey: ["approvals", "one", id], queryFn: ({ signal }) => ok(api.GET("/approvals/{id}", { params: { path: { id } }, signal })) });
export const decide = (id: string, approve: boolean, note: string) =>
  ok(approve ? api.POST("/approvals/{id}/approve", { params: { path: { id } }, body: { note } }) : api.POST("/approvals/{id}/refuse", { params: { path: { id } }, body: { note } }));
export const withdraw = (id: string) => ok(api.POST("/approvals/{id}/withdraw", { params: { path: { id } } }));
export const checkIn = (id: string, comment: string) => ok(api.POST("/devices/{id}/nudge", { params: { path: { id } }, body: { comment } }));

/** Takes a device out of scores and lists, and in again. */
export const excludeDevice = (id: string, body: { reason: ExclusionReason; comment: string }) => ok(api.PUT("/devices/{id}/exclusion", { params: { path: { id } }, body }));
export const includeDevice = (id: string) => ok(api.DELETE("/devices/{id}/exclusion", { params: { path: { id } } }));

export const actionKinds = queryOptions({ queryKey: ["actionKinds"], queryFn: ({ signal }) => ok(api.GET("/action-kinds", { signal })) });
export const approvalPolicy = queryOptions({ queryKey: ["approvals", "policy"], queryFn: ({ signal }) => ok(api.GET("/approval-policy", { signal })) });
export const setApprovalPolicy = (body: ApprovalPolicy) => ok(api.PUT("/approval-policy", { body }));
export const lockdown = queryOptions({ queryKey: ["lockdown"], queryFn: ({ signal }) => ok(api.GET("/lockdown", { signal })) });
export const startLockdown = (reason: string) => ok(api.POST("/lockdown", { body: { reason } }));
export const liftLockdown = () => ok(api.POST("/lockdown/lift"));
export const keepLockdown = () => ok(api.DELETE("/lockdown/lift"));
