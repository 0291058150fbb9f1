/** Alerts and what is done about them. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";
import type { AlertEdit, NewAlert } from "./schema";

type Query = Record<string, string>;

export const alerts = (q: Query) => queryOptions({ queryKey: ["alerts", q], queryFn: ({ signal }) => ok(api.GET("/alerts", { params: { query: q as never }, signal })), placeholderData: keepPreviousData });
export const alert = (id: string) => queryOptions({ queryKey: ["alerts", "one", id], queryFn: ({ signal }) => ok(api.GET("/alerts/{id}", { params: { path: { id } }, signal })) });
/** The active alerts, counted, of the selected device groups. */
export const alertSummary = queryOptions({ queryKey: ["alerts", "summary"], queryFn: ({ signal }) => ok(api.GET("/alerts/summary", { signal })), retry: false });
export const techniques = queryOptions({ queryKey: ["techniques"], queryFn: ({ signal }) => ok(api.GET("/techniques", { signal })), staleTime: Infinity });

export const createAlert = (body: NewAlert) => ok(api.POST("/alerts", { body }));
export const updateAlert = (id: string, body: AlertEdit) => ok(api.PATCH("/alerts/{id}", { params: { path: { id } }, body }));
export const updateAlerts = (ids: readonly string[], body: AlertEdit) => ok(api.POST("/alerts/update", { body: { ...body, alert_ids: [...ids] } }));
