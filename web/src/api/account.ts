/** Signing in, and the own account: sessions and second factors. */
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";
import { answerPasskey, makePasskey } from "./passkey";

export const sessions = queryOptions({ queryKey: ["me", "sessions"], queryFn: ({ signal }) => ok(api.GET("/me/sessions", { signal })) });
export const factors = queryOptions({ queryKey: ["me", "factors"], queryFn: ({ signal }) => ok(api.GET("/me/factors", { signal })) });

export const endSession = (id: string) => ok(api.DELETE("/me/sessions/{id}", { params: { path: { id } } }));
export const endOtherSessions = () => ok(api.DELETE("/me/sessions"));

export const beginCode = (password: string) => ok(api.POST("/me/code", { body: { password } }));
export const confirmCode = (code: string) => ok(api.POST("/me/code/confirm", { body: { code } }));
export const removeCode = (password: string) => ok(api.POST("/me/code/remove", { body: { password } }));
export const newRecoveryCodes = (password: string) => ok(api.POST("/me/recovery-codes", { body: { password } }));

/** Registers a passkey with whatever the browser offers. */
export async function addPasskey(name: string, password: string) {
  const { ticket, options } = await ok(api.POST("/me/passkeys/begin", { body: { password } }));
  return ok(api.POST("/me/passkeys", { body: { ticket, name, credential: await makePasskey(options) } }));
}
export const renamePasskey = (id: string, name: string) => ok(api.PUT("/me/passkeys/{id}", { params: { path: { id } }, body: { name } }));
export const removePasskey = (id: string, password: string) => ok(api.POST("/me/passkeys/{id}/remove", { params: { path: { id } }, body: { password } }));

/** How to sign in here; for the sign-in page. */
export const signInWays = queryOptions({ queryKey: ["signInWays"], queryFn: ({ signal }) => ok(api.GET("/session/ways", { signal })) });
/** Leaves for the identity provider; the browser comes back signed in. */
export async function departSSO(next: string) {
  const { address } = await ok(api.POST("/session/sso", { body: { next } }));
  window.location.assign(address);
}
export const signIn = (username: string, password: string) => ok(api.POST("/session", { body: { username, password } }));
export const secondFactor = (ticket: string, factor: "code" | "recovery", code: string) => ok(api.POST("/session/second", { body: { ticket, factor, code } }));

/** Signs in by passkey: alone, or after the first factor that gave a ticket. */
export async function passkeySignIn(first = "") {
  const { ticket, options } = await ok(api.POST("/session/passkey/ask", { body: { ticket: first } }));
  return ok(api.POST("/session/passkey", { body: { ticket, credential: await answerPasskey(options) } }));
}
