import { Button, MessageBar, MessageBarBody, Spinner } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { explain } from "../../api/client";
import { deviceRemoval, removeDevice } from "../../api/exchange";
import type { Device } from "../../api/schema";
import { number } from "../../lib/format";
import { Fact, Facts, Section } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";

/**
 * Asks before a device without an agent is removed, with what disappears. `gone`
 * is true from the moment of removal on: then nothing is asked about it any more.
 */
export function RemoveDevice({ d, gone, onGone, onClose }: { d: Device; gone: boolean; onGone: (gone: boolean) => void; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data, error } = useQuery({ ...deviceRemoval(d.id), enabled: !gone, staleTime: 0 });
  const go = useMutation({
    mutationFn: () => removeDevice(d.id),
    onMutate: () => onGone(true),
    onError: () => onGone(false),
    onSuccess: async () => {
      await navigate({ to: "/devices" });
      client.removeQueries({ queryKey: ["device", d.id] });
      return client.invalidateQueries();
    },
  });
  const wrong = go.error ?? error;
  return (
    <Panel
      title={`Remove ${d.name}?`}
      label="Remove device"
      subtitle="The device leaves all lists and scores at once."
      width={480}
      onClose={onClose}
      footer={
        <>
          <Button appearance="primary" disabled={!data || data.refused !== "" || go.isPending} onClick={() => go.mutate()}>Remove it</Button>
          <Button disabled={go.isPending} onClick={onClose}>Keep it</Button>
        </>
      }
    >
      {wrong && <MessageBar intent="error"><MessageBarBody>{explain(wrong)}</MessageBarBody></MessageBar>}
      {!data && !wrong && <Spinner size="small" label="Counting what disappears …" />}
      {data?.refused && <MessageBar intent="warning"><MessageBarBody>{data.refused}</MessageBarBody></MessageBar>}
      {data && (
        <>
          <Section title="What disappears">
            <Facts>
              <Fact name="Software">{number(data.software)}</Fact>
              <Fact name="Open weaknesses">{number(data.weaknesses)}</Fact>
              <Fact name="Device group">{data.group}</Fact>
              <Fact name="Tags">{data.tags.join(", ")}</Fact>
              <Fact name="Exceptions that name it">{number(data.exceptions)}</Fact>
              <Fact name="Remediation activities">{number(data.remediations)}</Fact>
            </Facts>
          </Section>
          <Section title="What stays">
            <p style={{ margin: 0 }}>
              Its findings close with your name, and exports of the last two weeks still know them. Remediation activities count it as removed. A new document of the same subject makes it a device again.
            </p>
          </Section>
          <Facts><Fact name="Subject" wide>{data.subject}</Fact></Facts>
        </>
      )}
    </Panel>
  );
}
