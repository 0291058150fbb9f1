/** Remediation activities and the places for their tickets. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";
import type { DestinationIn, RemediationRequest } from "./schema";

type Query = Record<string, string>;

export const remediations = (q: Query) =>
  queryOptions({ queryKey: ["remediations", q], queryFn: ({ signal }) => ok(api.GET("/remediations", { params: { query: q as never }, signal })), placeholderData: keepPreviousData });
export const remediation = (id: string) =>
  queryOptions({ queryKey: ["remediations", "one", id], queryFn: ({ signal }) => ok(api.GET("/remediations/{id}", { params: { path: { id } }, signal })) });
export const remediationDevices = (id: string, q: Query) =>
  queryOptions({
    queryKey: ["remediations", "one", id, "devices", q],
    queryFn: ({ signal }) => ok(api.GET("/remediations/{id}/devices", { params: { path: { id }, query: q as never }, signal })),
    placeholderData: keepPreviousData,
  });
export const remediationForm = (id: string) =>
  queryOptions({ queryKey: ["scores", "recommendations", id, "form"], queryFn: ({ signal }) => ok(api.GET("/recommendations/{id}/remediation", { params: { path: { id } }, signal })) });
export const ticketing = queryOptions({ queryKey: ["ticketing"], queryFn: ({ signal }) => ok(api.GET("/ticketing", { signal })) });

export const requestRemediation = (body: RemediationRequest) => ok(api.POST("/remediations", { body }));
export const editRemediation = (id: string, w: { priority: string; due: string; notes: string }) =>
  ok(api.PUT("/remediations/{id}", { params: { path: { id } }, body: { priority: w.priority as "High", due: w.due, notes: w.notes } }));
export const completeRemediation = (id: string, note: string) => ok(api.POST("/remediations/{id}/complete", { params: { path: { id } }, body: { note } }));
export const reopenRemediation = (id: string, note: string) => ok(api.POST("/remediations/{id}/reopen", { params: { path: { id } }, body: { note } }));
export const retryTicket = (id: string, sub: number) => ok(api.POST("/remediations/{id}/tickets/{sub}/retry", { params: { path: { id, sub } } }));
/** Stores a place for tickets; id "" makes a new one. */
export const putDestination = (id: string, body: DestinationIn) => ok(id === "" ? api.POST("/ticketing", { body }) : api.PUT("/ticketing/{id}", { params: { path: { id } }, body }));
export const removeDestination = (id: string) => ok(api.DELETE("/ticketing/{id}", { params: { path: { id } } }));
export const testDestination = (id: string) => ok(api.POST("/ticketing/{id}/test", { params: { path: { id } } }));
