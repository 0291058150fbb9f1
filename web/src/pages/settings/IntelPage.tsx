import { Button, MessageBar, MessageBarBody, MessageBarTitle, Spinner, makeStyles } from "@fluentui/react-components";
import { ArrowSyncRegular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { intel } from "../../api/queries";
import { cancelJob, syncIntel } from "../../api/settings";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { number, plural } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { FeedTable } from "./FeedTable";
import { Job } from "./Job";

const useStyles = makeStyles({
  bar: { display: "flex", gap: "12px", alignItems: "center", flexWrap: "wrap", margin: "16px 0" },
  stack: { display: "flex", flexDirection: "column", gap: "12px" },
});

/** The loaded intelligence, feed by feed. */
export function IntelPage() {
  const s = useStyles();
  const client = useQueryClient();
  const { data: d, error, refetch } = useQuery(intel);
  const again = () => client.invalidateQueries({ queryKey: intel.queryKey });
  const sync = useMutation({ mutationFn: syncIntel, onSettled: again });
  const cancel = useMutation({ mutationFn: cancelJob, onSettled: again });
  if (error && !d) return <ErrorPage error={error} retry={() => void refetch()} />;
  const running = d?.job?.state === "running";
  const failure = sync.error ?? cancel.error;
  return (
    <PageHead title="Intelligence" scroll text="What Picket knows of weaknesses, from the original upstream feeds. Findings follow within seconds of a change.">
      {!d ? (
        <Spinner label="Reading …" />
      ) : (
        <>
          <div className={s.bar}>
            <Button appearance="primary" icon={<ArrowSyncRegular />} disabled={running || sync.isPending} onClick={() => sync.mutate()}>Synchronise now</Button>
            <Chip tone="quiet">{plural(d.weaknesses, "weakness", "weaknesses")}</Chip>
            <Chip tone="quiet">{plural(d.feeds.length, "feed")}</Chip>
            <Chip tone="quiet">{`Generation ${number(d.generation)}`}</Chip>
            {d.stale && <Chip tone="warn">Stale feeds</Chip>}
            {d.demo && <Chip tone="info">Demo intelligence</Chip>}
          </div>
          <div className={s.stack}>
            {failure && <MessageBar intent="error"><MessageBarBody>{explain(failure)}</MessageBarBody></MessageBar>}
            {d.job && <Job job={d.job} onCancel={() => d.job && cancel.mutate(d.job.id)} cancelling={cancel.isPending} />}
            {d.empty && (
              <MessageBar intent="warning" layout="multiline">
                <MessageBarBody><MessageBarTitle>No intelligence is loaded.</MessageBarTitle> Synchronise from the official addresses, or bring files to the server and run <code>picket intel import</code>. Until then every product is not assessed.</MessageBarBody>
              </MessageBar>
            )}
            {d.demo && (
              <MessageBar intent="info" layout="multiline">
                <MessageBarBody><MessageBarTitle>Demo intelligence.</MessageBarTitle> It holds a few hundred well-known CVEs so that the first run is worth looking at without a network. It says nothing of all others. Synchronise for real results.</MessageBarBody>
              </MessageBar>
            )}
            {d.feeds.length > 0 && <FeedTable feeds={d.feeds} />}
          </div>
        </>
      )}
    </PageHead>
  );
}
