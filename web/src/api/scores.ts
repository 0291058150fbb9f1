/** What scores are made of, and what devices count in them. */
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";
import { list } from "./queries";
import type { DeviceWeights } from "./schema";

type Query = Record<string, string>;

export const exposureScore = queryOptions({ queryKey: ["scores", "exposure"], queryFn: ({ signal }) => ok(api.GET("/exposure-score", { signal })) });
export const scoreGroups = (q: Query) => list(["scores", "groups"], q, (query, signal) => api.GET("/exposure-score/groups", { params: { query }, signal }));
export const scoreDevices = (q: Query) => list(["scores", "devices"], q, (query, signal) => api.GET("/exposure-score/devices", { params: { query }, signal }));
export const scoreTerms = (id: string, q: Query) => list(["device", id, "score", "terms"], q, (query, signal) => api.GET("/devices/{id}/score/terms", { params: { path: { id }, query }, signal }));
export const secureChecks = (q: Query) => list(["scores", "checks"], q, (query, signal) => api.GET("/secure-score/checks", { params: { query }, signal }));
export const secureCheck = (id: string) => queryOptions({ queryKey: ["scores", "checks", id], queryFn: ({ signal }) => ok(api.GET("/secure-score/checks/{id}", { params: { path: { id } }, signal })) });
export const checkDevices = (id: string, q: Query) => list(["scores", "checks", id, "devices"], q, (query, signal) => api.GET("/secure-score/checks/{id}/devices", { params: { path: { id }, query }, signal }));
export const deviceChecks = (id: string, q: Query) => list(["device", id, "checks"], q, (query, signal) => api.GET("/devices/{id}/checks", { params: { path: { id }, query }, signal }));

/** What one configuration check says of a device, null when there is no such check. */
export const deviceCheck = (id: string, recommendation: string) =>
  queryOptions({
    queryKey: ["device", id, "checks", recommendation],
    queryFn: async ({ signal }) => {
      const page = await ok(api.GET("/devices/{id}/checks", { params: { path: { id }, query: { q: recommendation, size: 100 } }, signal }));
      return page.items.find((r) => r.id === recommendation) ?? null;
    },
    enabled: recommendation.startsWith("sca-"),
  });

export const deviceWeights = queryOptions({ queryKey: ["scores", "weights"], queryFn: ({ signal }) => ok(api.GET("/device-weights", { signal })) });
export const setDeviceWeights = (body: DeviceWeights) => ok(api.PUT("/device-weights", { body }));
