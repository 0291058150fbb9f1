import { Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate, useSearch } from "@tanstack/react-router";
import { Fragment, Suspense, lazy, useEffect, useState } from "react";
import { explain } from "../api/client";
import { listen } from "../api/live";
import { session } from "../api/queries";
import type { RawSearch } from "../lib/search";
import { Empty } from "../ui/Empty";
import { Nav } from "./Nav";
import { loadPrefs } from "./prefs";
import { TopBar } from "./TopBar";

const Notices = lazy(() => import("./Notices").then((m) => ({ default: m.Notices }))); // after the page, not before it

const useStyles = makeStyles({
  root: { height: "100vh", display: "flex", flexDirection: "column", backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorNeutralForeground1 },
  skip: { position: "absolute", left: "-9999px", "&:focus": { left: "12px", top: "8px", zIndex: 300, padding: "6px 12px", backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorNeutralForeground1 } },
  under: { flexGrow: 1, minHeight: 0, display: "flex" },
  right: { flexGrow: 1, minWidth: 0, display: "flex", flexDirection: "column" },
  main: { flexGrow: 1, minHeight: 0, overflow: "auto", display: "flex", flexDirection: "column", outline: "none" },
  wait: { height: "100vh" },
});

/** Sends to the sign-in page once, with the way back. */
function ToSignIn() {
  const navigate = useNavigate();
  useEffect(() => {
    const here = window.location.pathname + window.location.search;
    void navigate({ to: "/login", search: here === "/devices" ? {} : { next: here }, replace: true });
  }, [navigate]);
  return null;
}

/** The frame of every page of someone who is signed in; others are sent to the sign-in page. */
export function Shell() {
  const s = useStyles();
  const client = useQueryClient();
  const { data: me, error } = useQuery(session);
  const [live, setLive] = useState<boolean>();
  const { group = "" }: RawSearch = useSearch({ strict: false });
  const name = me?.username;
  useEffect(() => {
    if (name === undefined) return;
    loadPrefs().catch(() => undefined); // the browser's copy holds
    return listen(client, setLive);
  }, [client, name]);
  if (error && me === undefined) return <Empty title="Picket cannot be reached">{explain(error)}</Empty>;
  if (me === undefined) return <Spinner className={s.wait} label="Opening Picket …" />;
  if (me === null) return <ToSignIn />;
  return (
    <div className={s.root}>
      <a href="#main" className={s.skip} onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to content</a>
      <TopBar me={me} />
      <div className={s.under}>
        <Nav me={me} />
        <div className={s.right}>
          <Suspense><Notices me={me} live={live} /></Suspense>
          <main id="main" className={s.main} tabIndex={-1}>
            <Fragment key={group}>{/* another selection of device groups is another page */}<Outlet /></Fragment>
          </main>
        </div>
      </div>
    </div>
  );
}
