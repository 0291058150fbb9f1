import { useParams } from "@tanstack/react-router";

/** The id of the device whose page is shown. */
export function useDeviceId(): string {
  const p: { id?: string } = useParams({ strict: false });
  return p.id ?? "";
}
