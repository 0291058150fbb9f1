/** What is done on devices from afar. */
import { queryOptions } from "@tanstack/react-query";
import type { RawSearch } from "../lib/search";
import { address, api, ok } from "./client";
import { list } from "./queries";
import type { ActionOrder } from "./schema";

export const machineActions = (q: RawSearch) => list(["machineActions"], q, (query, signal) => api.GET("/machine-actions", { params: { query }, signal }));
export const machineAction = (id: string) => queryOptions({ queryKey: ["machineActions", "one", id], queryFn: ({ signal }) => ok(api.GET("/machine-actions/{id}", { params: { path: { id } }, signal })) });
export const deviceActions = (id: string) => queryOptions({ queryKey: ["machineActions", "of", id], queryFn: ({ signal }) => ok(api.GET("/devices/{id}/action-kinds", { params: { path: { id } }, signal })) });
export const submitActions = (body: ActionOrder) => ok(api.POST("/machine-actions", { body }));
export const cancelAction = (id: string, comment: string) => ok(api.POST("/machine-actions/{id}/cancel", { params: { path: { id } }, body: { comment } }));
export const packageAddress = (id: string): string => address(`/machine-actions/${encodeURIComponent(id)}/package`, {});
