/** Applications that act for people. */
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";

export const consent = (ask: string) => queryOptions({ queryKey: ["consent", ask], queryFn: ({ signal }) => ok(api.GET("/me/consent", { params: { query: { ask } }, signal })) });
export const decideConsent = (ask: string, allow: boolean) => ok(api.POST("/me/consent", { body: { ask, allow } }));
export const deviceConsent = (code: string) => ok(api.GET("/me/device", { params: { query: { code } } }));
export const decideDevice = (code: string, allow: boolean) => ok(api.POST("/me/device", { body: { code, allow } }));

/** Who acts for whom: the applications of whoever is signed in, or with an application the people of that one. */
export const grants = (app = "") => queryOptions({ queryKey: ["grants", app], queryFn: ({ signal }) => (app === "" ? ok(api.GET("/me/grants", { signal })) : ok(api.GET("/applications/{id}/grants", { params: { path: { id: app } }, signal }))) });
export const endGrant = (app: string, id: string) => (app === "" ? ok(api.DELETE("/me/grants/{id}", { params: { path: { id } } })) : ok(api.DELETE("/applications/{id}/grants/{sub}", { params: { path: { id: app, sub: id } } })));
