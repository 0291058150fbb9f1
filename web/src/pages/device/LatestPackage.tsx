import { useQuery } from "@tanstack/react-query";
import { machineActions, packageAddress } from "../../api/machineActions";
import { Fact } from "../../ui/Facts";
import { Ago } from "../../ui/Time";

/** A link to the latest investigation package of a device that is still there; nothing for who may not see any. */
export function LatestPackage({ device }: { device: string }) {
  const { data } = useQuery({ ...machineActions({ device, kind: "collect", status: "Succeeded", sort: "-created", page: "1", size: "30" }), retry: false });
  const a = data?.items.find((r) => r.package !== undefined && !r.package.gone);
  if (!a) return null;
  return <Fact name="Latest investigation package"><a href={packageAddress(a.id)} download>Download</a>{", collected "}<Ago at={a.ended_at ?? a.updated_at} /></Fact>;
}
