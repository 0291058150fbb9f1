import { Button, Spinner } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";
import { explain } from "../../api/client";
import { session } from "../../api/queries";
import type { Me } from "../../api/schema";
import { Frame } from "./Frame";

/** Its children for whoever is signed in; others sign in first and come back. */
export function SignedIn({ children }: { children: (me: Me) => ReactNode }) {
  const navigate = useNavigate();
  const { data: me, error, refetch } = useQuery(session);
  useEffect(() => {
    if (me === null) void navigate({ to: "/login", search: { next: window.location.pathname + window.location.search }, replace: true });
  }, [me, navigate]);
  if (error && me === undefined) return <Frame title="Picket cannot be reached" text={explain(error)}><Button onClick={() => void refetch()}>Try again</Button></Frame>;
  if (!me) return <Frame title="One moment"><Spinner label="Opening Picket …" /></Frame>;
  if (me.needs_factor) return <Frame title="A second factor first" text="Set one up under My account, then begin again at the application or device." />;
  return <>{children(me)}</>;
}
