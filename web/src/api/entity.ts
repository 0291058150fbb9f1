/** What is known of files, addresses, hosts and users across devices. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { EntityKind } from "../lib/entity";
import { api, ok } from "./client";
import type { EntityDevice, EntityEvents, EntityView, Page } from "./schema";

const paths = { file: "/files/{id}", ip: "/ips/{id}", domain: "/domains/{id}", user: "/users/{id}" } as const;

type Answer<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

export const entity = (kind: EntityKind, id: string, days: string) =>
  queryOptions({ queryKey: ["entity", kind, id, days], queryFn: ({ signal }) => ok(api.GET(paths[kind], { params: { path: { id }, query: { days: Number(days) } }, signal }) as Answer<EntityView>), retry: false });
export const entityDevices = (kind: EntityKind, id: string, q: Record<string, string>) =>
  queryOptions({ queryKey: ["entity", kind, id, "devices", q], queryFn: ({ signal }) => ok(api.GET(`${paths[kind]}/devices`, { params: { path: { id }, query: q as never }, signal }) as Answer<Page<EntityDevice>>), placeholderData: keepPreviousData });
export const entityEvents = (kind: EntityKind, id: string, days: string) =>
  queryOptions({ queryKey: ["entity", kind, id, "events", days], queryFn: ({ signal }) => ok(api.GET(`${paths[kind]}/events`, { params: { path: { id }, query: { days: Number(days), size: 100 } }, signal }) as Answer<EntityEvents>) });
