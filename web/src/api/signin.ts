/** Settings › Sign-in: what signing in takes, the identity provider, provisioning, failures. */
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";
import type { SignInPolicy, SingleSignOnEdit } from "./schema";

export const signInPolicy = queryOptions({ queryKey: ["signIn", "policy"], queryFn: ({ signal }) => ok(api.GET("/sign-in/policy", { signal })) });
export const setSignInPolicy = (body: SignInPolicy) => ok(api.PUT("/sign-in/policy", { body }));
export const locks = queryOptions({ queryKey: ["signIn", "locks"], queryFn: ({ signal }) => ok(api.GET("/sign-in/locks", { signal })), refetchInterval: 15_000 });
export const unlock = (id: string) => ok(api.DELETE("/sign-in/locks/{id}", { params: { path: { id } } }));

export const singleSignOn = queryOptions({ queryKey: ["signIn", "sso"], queryFn: ({ signal }) => ok(api.GET("/sign-in/sso", { signal })) });
export const setSingleSignOn = (body: SingleSignOnEdit) => ok(api.PUT("/sign-in/sso", { body }));
export const testSingleSignOn = (body: SingleSignOnEdit) => ok(api.POST("/sign-in/sso/test", { body }));

export const provisioning = queryOptions({ queryKey: ["signIn", "provisioning"], queryFn: ({ signal }) => ok(api.GET("/sign-in/provisioning", { signal })) });
export const makeProvisioningToken = () => ok(api.POST("/sign-in/provisioning/token"));
export const endProvisioning = () => ok(api.DELETE("/sign-in/provisioning/token"));

export const roleNames = queryOptions({ queryKey: ["roles"], queryFn: ({ signal }) => ok(api.GET("/roles", { signal })) });
export const userGroupNames = queryOptions({ queryKey: ["userGroups"], queryFn: ({ signal }) => ok(api.GET("/user-groups", { signal })) });
