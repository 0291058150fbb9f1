/** The whole console, with its real routes, on a server that answers what a test says. */
import { FluentProvider, RendererProvider, createDOMRenderer, webLightTheme } from "@fluentui/react-components";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider, createBrowserHistory, createRouter } from "@tanstack/react-router";
import { cleanup, configure, render } from "@testing-library/react";
import { vi } from "vitest";
import type { Me, Status } from "../api/schema";
import { router } from "../routes";
import { serve } from "./setup";

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

/** What is answered to "GET /devices": a body, or a function that makes it and may throw what `refusal` makes. */
export type Answers = Record<string, unknown>;

class Refused extends Error {
  constructor(readonly status: number, readonly detail: string) {
    super(detail);
  }
}

/** An answer with an error status and what it says. */
export const refusal = (status: number, detail: string) => (): never => {
  throw new Refused(status, detail);
};

/** An answer that does not come. */
export const never = (): Promise<never> => new Promise(() => undefined);

const me: Me = { username: "admin", display_name: "Administrator", role: "Administrator", needs_password: false, needs_factor: false, external: false, administrator: true, permissions: [], all_devices: true };
const status: Status = { version: "test", devices: 3, connected: 3, health: "ok", notices: [], demo_intelligence: false, intelligence_empty: false, weaknesses: 9, needs_password: false };
const always: Answers = { "GET /session": me, "GET /status": status, "GET /me/prefs": {}, "PUT /me/prefs": {}, "GET /device-groups": [], "GET /approvals": { items: [], total: 0, as_of: "2026-11-20T10:00:00Z" } };

const json = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

/** A list's answer of these rows: the page that was asked for. */
export const listOf = <T,>(rows: readonly T[]) => (a: Asked) => {
  const size = Number(a.query.get("size") ?? "30");
  const from = (Number(a.query.get("page") ?? "1") - 1) * size;
  return { items: rows.slice(from, from + size), total: rows.length, as_of: "2026-11-20T10:00:00Z" };
};

// What surely comes is waited for, however busy the machine is; a whole console is no message.
configure({ asyncUtilTimeout: 20_000, getElementError: (message) => new Error(message ?? "not found") });

Element.prototype.scrollIntoView = vi.fn(); // jsdom has no layout
window.scrollTo = () => undefined;
window.ResizeObserver = class {
  observe(): void {
    // nothing has a size here
  }
  unobserve(): void {
    // nothing has a size here
  }
  disconnect(): void {
    // nothing has a size here
  }
};
window.matchMedia = (media) => ({ matches: false, media, addEventListener: () => undefined, removeEventListener: () => undefined }) as unknown as MediaQueryList;
const unstyled = createDOMRenderer(); // without a document no style is written: jsdom would only lose time over them

let history: ReturnType<typeof createBrowserHistory> | undefined;

export interface Console {
  /** All that was asked so far, the latest last. */
  asked: Asked[];
  /** The last question to "GET /devices". */
  last: (what: string) => Asked | undefined;
  /** Says something else from now on. */
  answer: (more: Answers) => void;
}

/** Opens an address of the console; what `answers` does not name is a failure of the test. */
export function open(url: string, answers: Answers): Console {
  const asked: Asked[] = [];
  let said: Answers = { ...always, ...answers };
  serve(async (r) => {
    const at = new URL(r.url);
    const path = at.pathname.replace(/^\/api\/x/, "");
    const text = await r.text();
    const a: Asked = { method: r.method, path, query: at.searchParams, body: text === "" ? undefined : JSON.parse(text) };
    asked.push(a);
    const what = `${r.method} ${path}`;
    if (!(what in said)) return json(500, { title: "not in this test", detail: `nothing is said about ${what}` });
    try {
      const saying = said[what];
      const gone = new Promise<never>((_, no) => r.signal.addEventListener("abort", () => no(r.signal.reason as Error)));
      return json(200, await Promise.race([typeof saying === "function" ? (saying as (a: Asked) => unknown)(a) : saying, gone]));
    } catch (err) {
      if (err instanceof Refused) return json(err.status, { title: "Refused", detail: err.detail });
      throw err;
    }
  });
  window.history.pushState(null, "", url);
  history = createBrowserHistory();
  const own = createRouter({ ...router.options, history });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 15_000 } } });
  render(
    <RendererProvider renderer={unstyled}>
      <FluentProvider theme={webLightTheme}>
        <QueryClientProvider client={client}>
          <RouterProvider router={own} />
        </QueryClientProvider>
      </FluentProvider>
    </RendererProvider>,
  );
  return {
    asked,
    last: (what) => asked.findLast((a) => `${a.method} ${a.path}` === what),
    answer: (more) => {
      said = { ...said, ...more };
    },
  };
}

/** Leaves the console as if it had never been opened; for afterEach. */
export function leave(): void {
  cleanup();
  history?.destroy();
  serve();
  localStorage.clear();
}

/** The search of the address, as it stands there. */
export const address = (): string => window.location.pathname + window.location.search;
