/** What happened on a device. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";

type Query = Record<string, string>;

export const timeline = (id: string, q: Query) =>
  queryOptions({ queryKey: ["timeline", id, "list", q], queryFn: ({ signal }) => ok(api.GET("/devices/{id}/timeline", { params: { path: { id }, query: q as never }, signal })), placeholderData: keepPreviousData, refetchInterval: 300_000 }); // the server tells of what happens to those who asked within the hour
export const timelineCounts = (id: string, q: Query) =>
  queryOptions({ queryKey: ["timeline", id, "counts", q], queryFn: ({ signal }) => ok(api.GET("/devices/{id}/timeline/counts", { params: { path: { id }, query: q as never }, signal })), placeholderData: keepPreviousData });
export const timelineTechniques = (id: string, q: Query) =>
  queryOptions({ queryKey: ["timeline", id, "techniques", q], queryFn: ({ signal }) => ok(api.GET("/devices/{id}/timeline/techniques", { params: { path: { id }, query: q as never }, signal })), placeholderData: keepPreviousData, staleTime: 60_000 });
export const timelineEvent = (id: string, event: string) =>
  queryOptions({ queryKey: ["timeline", id, "event", event], queryFn: ({ signal }) => ok(api.GET("/devices/{id}/timeline/events/{sub}", { params: { path: { id, sub: event } }, signal })) });
export const logonUsers = (id: string) => queryOptions({ queryKey: ["timeline", id, "users"], queryFn: ({ signal }) => ok(api.GET("/devices/{id}/logonusers", { params: { path: { id } }, signal })) });
export const deviceHealth = (id: string) => queryOptions({ queryKey: ["timeline", id, "health"], queryFn: ({ signal }) => ok(api.GET("/devices/{id}/health", { params: { path: { id } }, signal })) });
export const flagEvent = (id: string, event: string, flagged: boolean) => ok(api.PUT("/devices/{id}/timeline/events/{sub}/flag", { params: { path: { id, sub: event } }, body: { flagged } }));
