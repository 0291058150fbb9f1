import type { QueryClient, QueryKey } from "@tanstack/react-query";
import type { LiveEvent } from "./schema";

/** The queries that an event makes stale; an empty key is everything. */
export function touched(e: LiveEvent): QueryKey[] {
  switch (e.resource) {
    case "device":
      return e.id ? [["device", e.id], ["devices"], ["scores"], ["software"], ["weaknesses"]] : [["device"], ["devices"], ["scores"], ["software"], ["weaknesses"]];
    case "alert":
      return [["alerts"], ["scores"], ["devices"], ["software"], ["weaknesses"], e.id ? ["device", e.id] : ["device"], e.id ? ["timeline", e.id] : ["timeline"]];
    case "timeline":
      return e.id ? [["timeline", e.id]] : [["timeline"]];
    case "score":
      return [["scores"], ["device"], ["devices"], ["software"]];
    case "events":
      return [["events"], ["scores"]];
    case "devices":
      return [["devices"], ["scores"]];
    case "plans":
      return [["scores", "plans"]];
    case "remediation":
    case "remediations":
      return [["remediations"], ["scores"], ["ticketing"]];
    case "machine-actions":
      return [["machineActions"], ["devices"], e.id ? ["device", e.id] : ["device"]];
    case "approvals":
      return [["approvals"], ["status"]];
    case "software":
    case "investigations":
    case "lockdown":
    case "weaknesses":
    case "status":
    case "intel":
    case "inaccuracies":
    case "audit":
      return [[e.resource]];
    default:
      return [[]];
  }
}

const rest = 250; // ms in which events are gathered
const retries = [1000, 2000, 5000, 10_000];

/**
 * Listens to what changes on the server and marks the queries concerned as
 * stale, until the function that it returns is called. `tell` hears whether the
 * stream is up; after an interruption everything is asked for again.
 */
export function listen(client: QueryClient, tell: (up: boolean) => void): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let over = false;
  const waiting = new Map<string, QueryKey>();

  const flush = () => {
    timer = undefined;
    const keys = [...waiting.values()];
    waiting.clear();
    for (const queryKey of keys) void client.invalidateQueries({ queryKey });
  };
  const add = (keys: QueryKey[]) => {
    for (const k of keys) waiting.set(JSON.stringify(k), k);
    timer ??= setTimeout(flush, rest);
  };
  const connect = () => {
    source = new EventSource("/api/x/live");
    source.addEventListener("open", () => {
      if (failures > 0) add([[]]);
      failures = 0;
      tell(true);
    });
    source.addEventListener("change", (m: MessageEvent<string>) => {
      try {
        add(touched(JSON.parse(m.data) as LiveEvent));
      } catch {
        add([[]]);
      }
    });
    source.addEventListener("error", () => {
      source?.close();
      tell(false);
      failures++;
      if (!over) retry = setTimeout(connect, retries[Math.min(failures, retries.length) - 1]);
    });
  };
  connect();
  return () => {
    over = true;
    source?.close();
    clearTimeout(timer);
    clearTimeout(retry);
  };
}
