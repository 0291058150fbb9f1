/** How long events are kept. */
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";
import type { Retention } from "./schema";

export const retention = queryOptions({ queryKey: ["retention"], queryFn: ({ signal }) => ok(api.GET("/retention", { signal })) });
export const setRetention = (body: Retention) => ok(api.PUT("/retention", { body }));
