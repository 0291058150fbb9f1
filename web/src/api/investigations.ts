/** Investigations of devices. */
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";

export const investigation = (id: string) => queryOptions({ queryKey: ["investigations", "one", id], queryFn: ({ signal }) => ok(api.GET("/investigations/{id}", { params: { path: { id } }, signal })) });
export const startInvestigation = (device: string, body: { comment: string; alert?: string }) => ok(api.POST("/devices/{id}/investigations", { params: { path: { id: device } }, body }));
