/** Applications, people's own tokens and what holds for all of them. */
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";
import type { AppEdit, AppEditWithDays, AppSecretIn, ForwardIn } from "./schema";

export const applications = queryOptions({ queryKey: ["applications"], queryFn: ({ signal }) => ok(api.GET("/applications", { signal })), refetchInterval: 10_000 });
export const apiSettings = queryOptions({ queryKey: ["api-settings"], queryFn: ({ signal }) => ok(api.GET("/api-settings", { signal })) });
export const ownTokens = queryOptions({ queryKey: ["own-tokens"], queryFn: ({ signal }) => ok(api.GET("/me/tokens", { signal })) });

export const createApplication = (body: AppEditWithDays) => ok(api.POST("/applications", { body }));
export const editApplication = (id: string, body: AppEdit) => ok(api.PUT("/applications/{id}", { params: { path: { id } }, body }));
export const deleteApplication = (id: string) => ok(api.DELETE("/applications/{id}", { params: { path: { id } } }));
export const addSecret = (id: string, body: AppSecretIn) => ok(api.POST("/applications/{id}/secrets", { params: { path: { id } }, body }));
export const removeSecret = (id: string, sub: string) => ok(api.DELETE("/applications/{id}/secrets/{sub}", { params: { path: { id, sub } } }));
export const setLimits = (body: { preset: "plain" | "reference"; per_minute: number }) => ok(api.PUT("/api-settings/limits", { body }));
export const rotateKey = (revoke: boolean) => ok(api.POST("/api-settings/rotate-key", { body: { revoke } }));
export const createOwnToken = (body: { name: string; permissions: string[]; days: number }) => ok(api.POST("/me/tokens", { body }));
export const deleteOwnToken = (id: string) => ok(api.DELETE("/me/tokens/{id}", { params: { path: { id } } }));

export const forwarding = queryOptions({ queryKey: ["forwarding"], queryFn: ({ signal }) => ok(api.GET("/forwarding", { signal })), refetchInterval: 5_000 });
/** Stores a receiver of events; id "" makes a new one. */
export const putForward = (id: string, body: ForwardIn) => ok(id === "" ? api.POST("/forwarding", { body }) : api.PUT("/forwarding/{id}", { params: { path: { id } }, body }));
export const removeForward = (id: string) => ok(api.DELETE("/forwarding/{id}", { params: { path: { id } } }));
export const testForward = (id: string) => ok(api.POST("/forwarding/{id}/test", { params: { path: { id } } }));
