import { Button } from "@fluentui/react-components";
import { DocumentQuestionMarkRegular, PlugDisconnectedRegular } from "@fluentui/react-icons";
import { Problem, explain } from "../api/client";
import { Empty } from "../ui/Empty";
import { Anchor } from "./Anchor";

/** Shown where a page could not be. */
export function ErrorPage({ error, retry }: { error: unknown; retry?: () => void }) {
  if (error instanceof Problem && error.status === 404) return <NotFound what={error.message} />;
  return (
    <Empty page icon={<PlugDisconnectedRegular />} title="This page could not be shown" action={<Button onClick={retry ?? (() => window.location.reload())}>Try again</Button>}>
      {explain(error)}
    </Empty>
  );
}

/** Shown for an address that leads nowhere. */
export function NotFound({ what }: { what?: string }) {
  return (
    <Empty page icon={<DocumentQuestionMarkRegular />} title="There is nothing at this address" action={<Anchor to="/devices">Go to Devices</Anchor>}>
      {what ?? "The link may be old, or what it led to may be gone."}
    </Empty>
  );
}
