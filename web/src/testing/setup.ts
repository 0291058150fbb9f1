/** What every test finds in place of a browser's network: nothing, until a console is opened on a fake server (console.tsx). */
import { vi } from "vitest";

type Answer = (r: Request) => Promise<Response>;

const nobody: Answer = (r) => Promise.reject(new TypeError(`no server in this test: ${r.method} ${r.url}`));
let server: Answer = nobody;

/** Lets all requests of the test go to `answer`, or to nobody again. */
export function serve(answer?: Answer): void {
  server = answer ?? nobody;
}

// The client keeps the fetch that is there when it is loaded, so this one stands in before that.
const Plain = globalThis.Request;
class HereRequest extends Plain {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(typeof input === "string" ? new URL(input, window.location.href) : input, init);
  }
}
vi.stubGlobal("Request", HereRequest);
vi.stubGlobal("fetch", (input: RequestInfo | URL, init?: RequestInit) => server(input instanceof Plain ? input : new HereRequest(input, init)));

/** A live stream on which nothing is said. */
class Silence extends EventTarget {
  close(): void {
    // nothing to close
  }
}
vi.stubGlobal("EventSource", Silence);
