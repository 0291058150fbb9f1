/** People, what they may do, and which devices they see. */
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";
import type { components } from "./schema.gen";

type S = components["schemas"];
export type PersonRow = S["PersonRow"];
export type PersonLink = S["PersonLink"];
export type UserGroup = S["UserGroup"];
export type Role = S["Role"];
export type RolePermission = S["RolePermission"];

export const people = (q: string) => queryOptions({ queryKey: ["people", q], queryFn: ({ signal }) => ok(api.GET("/people", { params: { query: { q, size: 500 } }, signal })) });
export const userGroups = queryOptions({ queryKey: ["user-groups"], queryFn: ({ signal }) => ok(api.GET("/user-groups", { signal })) });
export const roles = queryOptions({ queryKey: ["roles"], queryFn: ({ signal }) => ok(api.GET("/roles", { signal })) });
export const rolePermissions = queryOptions({ queryKey: ["role-permissions"], queryFn: ({ signal }) => ok(api.GET("/role-permissions", { signal })), staleTime: Infinity });

export const addPerson = (body: S["NewPerson"]) => ok(api.POST("/people", { body }));
export const editPerson = (id: number, body: S["PersonEdit"]) => ok(api.PUT("/people/{id}", { params: { path: { id } }, body }));
export const deletePerson = (id: number) => ok(api.DELETE("/people/{id}", { params: { path: { id } } }));
export const linkPerson = (id: number, reset: boolean) => ok(api.POST("/people/{id}/link", { params: { path: { id } }, body: { reset } }));
export const resetFactors = (id: number) => ok(api.DELETE("/people/{id}/factors", { params: { path: { id } } }));
export const endSessions = (id: number) => ok(api.DELETE("/people/{id}/sessions", { params: { path: { id } } }));
export const saveUserGroup = (id: number, body: S["UserGroupEdit"]) => ok(id === 0 ? api.POST("/user-groups", { body }) : api.PUT("/user-groups/{id}", { params: { path: { id } }, body }));
export const deleteUserGroup = (id: number) => ok(api.DELETE("/user-groups/{id}", { params: { path: { id } } }));
export const saveRole = (id: number, body: S["RoleEdit"]) => ok(id === 0 ? api.POST("/roles", { body }) : api.PUT("/roles/{id}", { params: { path: { id } }, body }));
export const deleteRole = (id: number) => ok(api.DELETE("/roles/{id}", { params: { path: { id } } }));
export const setGroupAccess = (id: number, user_groups: number[]) => ok(api.PUT("/device-groups/{id}/access", { params: { path: { id } }, body: { user_groups } }));

/** Names of some of a list, by their ids. */
export const namesOf = (ids: readonly number[], list: readonly { id: number; name: string }[] | undefined): string =>
  ids.map((id) => list?.find((x) => x.id === id)?.name ?? `number ${id}`).join(", ");
