import { useParams } from "@tanstack/react-router";
import { EventList } from "./EventList";

/** The event timeline of the product whose page is shown. */
export function ProductEvents() {
  const p: { id?: string } = useParams({ strict: false });
  return <EventList product={p.id ?? ""} />;
}
