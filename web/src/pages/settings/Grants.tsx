import { Button, MessageBar, MessageBarBody, Spinner } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { endGrant, grants } from "../../api/consent";
import { PlainTable } from "../../ui/PlainTable";
import { Ago } from "../../ui/Time";

/** Who acts for whom: the applications of whoever is signed in, or the people of one application. */
export function Grants({ app = "" }: { app?: string }) {
  const client = useQueryClient();
  const query = grants(app);
  const { data, error } = useQuery(query);
  const end = useMutation({ mutationFn: (id: string) => endGrant(app, id), onSettled: () => client.invalidateQueries({ queryKey: query.queryKey }) });
  const wrong = error ?? end.error;
  return (
    <>
      {wrong && <MessageBar intent="error" layout="multiline"><MessageBarBody>{explain(wrong)}</MessageBarBody></MessageBar>}
      {!data && !error && <Spinner label="Reading …" />}
      {data?.length === 0 && (app === "" ? "None acts for you." : "It acts for nobody.")}
      {data && data.length > 0 && (
        <PlainTable
          label={app === "" ? "Applications that act for you" : "People it acts for"}
          rows={data}
          rowKey={(g) => g.id}
          middle
          columns={[
            { key: "who", title: app === "" ? "Application" : "Person", render: (g) => (app === "" ? g.application : g.person) },
            { key: "may", title: "May", render: (g) => g.permissions.join(", ") },
            { key: "from", title: "From", render: (g) => (g.way === "device" ? `${g.remote}, by code` : g.remote) },
            { key: "used", title: "Last token", render: (g) => <Ago at={g.used} /> },
            { key: "tools", title: "Action", width: "70px", align: "end", render: (g) => <Button size="small" disabled={end.isPending} aria-label={`End what ${g.application} does for ${g.person}`} onClick={() => end.mutate(g.id)}>End</Button> },
          ]}
        />
      )}
    </>
  );
}
