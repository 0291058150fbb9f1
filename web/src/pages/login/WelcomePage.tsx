import { Spinner } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { explain } from "../../api/client";
import { redeem, session } from "../../api/queries";
import { ButtonLink } from "../../app/ButtonLink";
import { Frame } from "./Frame";

/** The token of the one-time link, taken out of the address bar and the history at once. */
let token: string | undefined;
function takeToken(): string {
  if (window.location.hash.length > 1) {
    token = window.location.hash.slice(1);
    window.history.replaceState(window.history.state, "", window.location.pathname);
  }
  return token ?? "";
}

/** Redeems the one-time link that the server printed. */
export function WelcomePage() {
  const client = useQueryClient();
  const { mutate, isSuccess, isIdle, error } = useMutation({
    mutationFn: (t: string) => redeem(t),
    onSuccess: (got) => client.setQueryData(session.queryKey, got.me ?? null),
  });
  useEffect(() => {
    const t = takeToken();
    token = undefined;
    if (t !== "") mutate(t);
  }, [mutate]);
  if (isSuccess) return <Navigate to={"/devices"} replace />;
  if (error) {
    return (
      <Frame title="This link does not work" text={`${explain(error)} A link works once and for a short time; a restart of the server prints a new one.`}>
        <ButtonLink primary to="/login">Sign in with a password</ButtonLink>
      </Frame>
    );
  }
  if (isIdle) {
    return (
      <Frame title="Welcome to Picket" text="This page opens with the one-time link that the server prints when it starts; the address here has no token.">
        <ButtonLink primary to="/login">Sign in with a password</ButtonLink>
      </Frame>
    );
  }
  return <Frame title="Welcome to Picket"><Spinner label="Signing in …" /></Frame>;
}
