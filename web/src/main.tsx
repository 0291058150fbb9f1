import { FluentProvider, RendererProvider, createDOMRenderer } from "@fluentui/react-components";
import { QueryCache, QueryClient, QueryClientProvider, hashKey, type QueryKey } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/client";
import { session } from "./api/queries";
import { useTheme } from "./app/theme";
import { selected } from "./lib/groups";
import { router } from "./routes";

// The policy of the page allows styles with this nonce only.
const nonce = document.querySelector<HTMLMetaElement>("meta[name=csp-nonce]")?.content ?? "";
const renderer = createDOMRenderer(document, { styleElementAttributes: { nonce } });

// Answers are about the device groups that the address names, all but these.
const everywhere = new Set<unknown>(["session", "device-groups", "tag-rules", "intel", "onboarding", "tokens"]);
const hash = (key: QueryKey): string => (everywhere.has(key[0]) ? "" : selected(window.location.search)) + hashKey(key);

const client = new QueryClient({
  queryCache: new QueryCache({
    onError: (err) => {
      if (err instanceof Problem && err.status === 401) client.setQueryData(session.queryKey, null); // the session ended
    },
  }),
  defaultOptions: {
    queries: { queryKeyHashFn: hash, staleTime: 15_000, retry: (n, err) => n < 2 && !(err instanceof Problem && err.status < 500) },
  },
});

function App() {
  return (
    <RendererProvider renderer={renderer} targetDocument={document}>
      <FluentProvider theme={useTheme()}>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </FluentProvider>
    </RendererProvider>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
