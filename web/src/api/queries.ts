import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { Problem, api, ok } from "./client";
import type { DeviceValue } from "../lib/exposure";
import type { NewException, Page, PlanGoalIn, PlanRequest, TagChange } from "./schema";

type Query = Record<string, string>;
type Answer<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

export const list = <T,>(key: readonly string[], q: Query, ask: (query: never, signal: AbortSignal) => Answer<Page<T>>) =>
  queryOptions({ queryKey: [...key, q], queryFn: ({ signal }) => ok(ask(q as never, signal)), placeholderData: keepPreviousData });
export const one = <T,>(key: readonly string[], ask: (signal: AbortSignal) => Answer<T>) => queryOptions({ queryKey: key, queryFn: ({ signal }) => ok(ask(signal)) });

/** Enough of a list to know how long it is. */
export const firstPage: Query = { page: "1", size: "30" };

/** Who is signed in, null when nobody is. */
export const session = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }) => {
    try {
      return await ok(api.GET("/session", { signal }));
    } catch (err) {
      if (err instanceof Problem && err.status === 401) return null;
      throw err;
    }
  },
  staleTime: 60_000,
});

export const status = one(["status"], (signal) => api.GET("/status", { signal }));
export const search = (q: string) =>
  queryOptions({ queryKey: ["search", q], queryFn: ({ signal }) => ok(api.GET("/search", { params: { query: { q } }, signal })), placeholderData: keepPreviousData, enabled: q.length > 1 });

export const devices = (q: Query) => list(["devices"], q, (query, signal) => api.GET("/devices", { params: { query }, signal }));
export const device = (id: string) => one(["device", id], (signal) => api.GET("/devices/{id}", { params: { path: { id } }, signal }));
export const deviceSoftware = (id: string, q: Query) =>
  list(["device", id, "software"], q, (query, signal) => api.GET("/devices/{id}/software", { params: { path: { id }, query }, signal }));
export const deviceSoftwareOne = (id: string, product: string) =>
  one(["device", id, "software", product], (signal) => api.GET("/devices/{id}/software/{product}", { params: { path: { id, product } }, signal }));
export const deviceVulns = (id: string, q: Query) =>
  list(["device", id, "vulns"], q, (query, signal) => api.GET("/devices/{id}/vulnerabilities", { params: { path: { id }, query }, signal }));
export const deviceVuln = (id: string, weakness: string) =>
  one(["device", id, "vulns", weakness], (signal) => api.GET("/devices/{id}/vulnerabilities/{weakness}", { params: { path: { id, weakness } }, signal }));
export const deviceUpdates = (id: string, q: Query) =>
  list(["device", id, "updates"], q, (query, signal) => api.GET("/devices/{id}/updates", { params: { path: { id }, query }, signal }));
export const softwareUpdates = (id: string, q: Query) =>
  list(["software", id, "updates"], q, (query, signal) => api.GET("/software/{id}/updates", { params: { path: { id }, query }, signal }));
export const deviceClosed = (id: string, q: Query) =>
  list(["device", id, "closed"], q, (query, signal) => api.GET("/devices/{id}/closed", { params: { path: { id }, query }, signal }));

export const deviceScore = (id: string) => one(["device", id, "score"], (signal) => api.GET("/devices/{id}/score", { params: { path: { id } }, signal }));
export const deviceRecommendations = (id: string, q: Query) =>
  list(["device", id, "recommendations"], q, (query, signal) => api.GET("/devices/{id}/recommendations", { params: { path: { id }, query }, signal }));
/** One recommendation as a device has it, null when the device does not have it (any more). */
export const deviceRecommendation = (id: string, recommendation: string) =>
  queryOptions({
    queryKey: ["device", id, "recommendations", "one", recommendation],
    queryFn: async ({ signal }) => {
      const page = await ok(api.GET("/devices/{id}/recommendations", { params: { path: { id }, query: { q: recommendation, size: 100 } }, signal }));
      return page.items.find((r) => r.id === recommendation) ?? null;
    },
  });

// All that follows from the scores of all devices is below one key, which events of devices touch too.
export const dashboard = one(["scores", "dashboard"], (signal) => api.GET("/dashboard", { signal }));
export const recommendations = (q: Query) => list(["scores", "recommendations"], q, (query, signal) => api.GET("/recommendations", { params: { query }, signal }));
export const recommendation = (id: string) => one(["scores", "recommendations", id], (signal) => api.GET("/recommendations/{id}", { params: { path: { id } }, signal }));
export const recommendationDevices = (id: string, q: Query) =>
  list(["scores", "recommendations", id, "devices"], q, (query, signal) => api.GET("/recommendations/{id}/devices", { params: { path: { id }, query }, signal }));
export const recommendationVulns = (id: string, q: Query) =>
  list(["scores", "recommendations", id, "vulns"], q, (query, signal) => api.GET("/recommendations/{id}/vulnerabilities", { params: { path: { id }, query }, signal }));

/** The device groups that the address names, for what is asked by POST. */
const inGroups = () => {
  const group = new URLSearchParams(window.location.search).get("group");
  return group ? { query: { group: group as never } } : {}; // "1,2": commas as they are
};

/** The score with some recommendations carried out together. */
export const whatIf = (ids: readonly string[]) =>
  queryOptions({ queryKey: ["scores", "what-if", ids], queryFn: ({ signal }) => ok(api.POST("/what-if", { params: inGroups(), body: { recommendations: [...ids] }, signal })), placeholderData: keepPreviousData });
export const plans = (q: Query) => list(["scores", "plans"], q, (query, signal) => api.GET("/plans", { params: { query }, signal }));
export const planForm = (id: string) => one(["scores", "plans", id, "form"], (signal) => api.GET("/plans/{id}/remediation", { params: { path: { id } }, signal }));
export const plan = (id: string) => one(["scores", "plans", id], (signal) => api.GET("/plans/{id}", { params: { path: { id } }, signal }));
export const exceptions = (q: Query) => list(["scores", "exceptions"], q, (query, signal) => api.GET("/exceptions", { params: { query }, signal }));
export const exception = (id: string) => one(["scores", "exceptions", id], (signal) => api.GET("/exceptions/{id}", { params: { path: { id } }, signal }));

export const softwareList = (q: Query) => list(["software"], q, (query, signal) => api.GET("/software", { params: { query }, signal }));
export const software = (id: string) => one(["software", id], (signal) => api.GET("/software/{id}", { params: { path: { id } }, signal }));
export const softwareDevices = (id: string, q: Query) =>
  list(["software", id, "devices"], q, (query, signal) => api.GET("/software/{id}/devices", { params: { path: { id }, query }, signal }));
export const softwareVersions = (id: string, q: Query) =>
  list(["software", id, "versions"], q, (query, signal) => api.GET("/software/{id}/versions", { params: { path: { id }, query }, signal }));
export const softwareRecommendations = (id: string, q: Query) =>
  list(["software", id, "recommendations"], q, (query, signal) => api.GET("/software/{id}/recommendations", { params: { path: { id }, query }, signal }));
export const softwareVulns = (id: string, q: Query) =>
  list(["software", id, "vulns"], q, (query, signal) => api.GET("/software/{id}/vulnerabilities", { params: { path: { id }, query }, signal }));

export const events = (q: Query) => list(["events"], q, (query, signal) => api.GET("/events", { params: { query }, signal }));
export const eventCounts = (q: Query) =>
  queryOptions({ queryKey: ["events", "counts", q], queryFn: ({ signal }) => ok(api.GET("/event-counts", { params: { query: q }, signal })), placeholderData: keepPreviousData });
export const event = (id: string) => one(["events", id], (signal) => api.GET("/events/{id}", { params: { path: { id } }, signal }));
export const eventVulns = (id: string, q: Query) =>
  list(["events", id, "vulns"], q, (query, signal) => api.GET("/events/{id}/vulnerabilities", { params: { path: { id }, query }, signal }));

export const weaknesses = (q: Query) => list(["weaknesses"], q, (query, signal) => api.GET("/weaknesses", { params: { query }, signal }));
export const weakness = (id: string) => one(["weaknesses", id], (signal) => api.GET("/weaknesses/{id}", { params: { path: { id } }, signal }));
export const weaknessDevices = (id: string, q: Query) =>
  list(["weaknesses", id, "devices"], q, (query, signal) => api.GET("/weaknesses/{id}/devices", { params: { path: { id }, query }, signal }));
export const weaknessSoftware = (id: string, q: Query) =>
  list(["weaknesses", id, "software"], q, (query, signal) => api.GET("/weaknesses/{id}/software", { params: { path: { id }, query }, signal }));

export const intel = queryOptions({
  queryKey: ["intel"],
  queryFn: ({ signal }) => ok(api.GET("/intel", { signal })),
  refetchInterval: (q) => (q.state.data?.job?.state === "running" ? 1000 : false),
});
export const deviceGroups = one(["device-groups"], (signal) => api.GET("/device-groups", { signal }));
export const operatingSystems = one(["devices", "operating-systems"], (signal) => api.GET("/operating-systems", { signal }));
export const tags = one(["tags"], (signal) => api.GET("/tags", { signal }));

export const onboarding = one(["onboarding"], (signal) => api.GET("/onboarding", { signal }));

export const redeem = (token: string) => ok(api.POST("/session/redeem", { body: { token } }));
export const signOut = () => ok(api.DELETE("/session"));
export const setPassword = (current: string, password: string) => ok(api.PUT("/me/password", { body: { current, new: password } }));
/** How far a search for a plan is; keeps asking while somebody looks. */
export const planSearch = (name: string) =>
  queryOptions({ queryKey: ["plan-search", name], queryFn: ({ signal }) => ok(api.GET("/plan-searches/{id}", { params: { path: { id: name } }, signal })), refetchInterval: 300, gcTime: 0 });
export const draftPlan = (body: PlanGoalIn, signal: AbortSignal) => ok(api.POST("/plans/draft", { params: inGroups(), body, signal }));
export const savePlan = (draft: string, name: string) => ok(api.POST("/plans", { body: { draft, name } }));
export const remediatePlan = (id: string, body: PlanRequest) => ok(api.POST("/plans/{id}/remediation", { params: { path: { id } }, body }));
export const deletePlan = (id: string) => ok(api.DELETE("/plans/{id}", { params: { path: { id } } }));
export const setDeviceValue = (id: string, value: DeviceValue) => ok(api.PUT("/devices/{id}/value", { params: { path: { id } }, body: { value } }));
export const changeTags = (body: TagChange) => ok(api.POST("/tags", { body }));
export const createException = (body: NewException) => ok(api.POST("/exceptions", { body }));
export const cancelException = (id: string, groups?: number[]) => ok(api.POST("/exceptions/{id}/cancel", { params: { path: { id } }, body: groups ? { groups } : {} }));
export const readPrefs = () => ok(api.GET("/me/prefs"));
/** The request outlives the page, so that leaving it loses no choice. */
export const writePrefs = (prefs: Record<string, unknown>) => ok(api.PUT("/me/prefs", { body: prefs, keepalive: true }));
