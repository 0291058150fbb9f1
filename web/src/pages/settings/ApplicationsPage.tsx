import { Button, Spinner, makeStyles, tokens } from "@fluentui/react-components";
import { AddRegular, PlugConnectedRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { apiSettings, applications } from "../../api/programs";
import type { AppRow, Credentials } from "../../api/schema";
import { OpenLink } from "../../app/Anchor";
import { ErrorPage } from "../../app/ErrorPage";
import { PageHead } from "../../app/PageHead";
import { useOpen } from "../../app/useOpen";
import { number, time } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { Empty } from "../../ui/Empty";
import { Panel } from "../../ui/Panel";
import { PlainTable } from "../../ui/PlainTable";
import { Ago } from "../../ui/Time";
import { ApiLimits } from "./ApiLimits";
import { ApplicationForm } from "./ApplicationForm";
import { ApplicationPanel } from "./ApplicationPanel";
import { CredentialsBox } from "./Credentials";

const useStyles = makeStyles({
  bar: { margin: "14px 0 10px" },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  limits: { marginTop: "28px" },
});

/** Whether a program can still sign in: off, without a secret that lives, or on. */
export function appState(a: Pick<AppRow, "disabled" | "secrets" | "public">, now: Date): "On" | "Off" | "No live secret" {
  if (a.disabled) return "Off";
  const live = a.public === true || a.secrets.some((k) => {
    const end = time(k.expires ?? undefined);
    return end === null || end > now;
  });
  return live ? "On" : "No live secret";
}

/** Settings › API applications: programs, their secrets and limits. */
export function ApplicationsPage() {
  const s = useStyles();
  const list = useQuery(applications);
  const settings = useQuery(apiSettings);
  const { open, show, close } = useOpen();
  const [made, setMade] = useState<Credentials>();
  const error = list.error ?? settings.error;
  const data = list.data;
  const rules = settings.data;
  if (error && (!data || !rules)) return <ErrorPage error={error} retry={() => void Promise.all([list.refetch(), settings.refetch()])} />;
  const now = new Date(list.dataUpdatedAt);
  const chosen = data?.find((a) => a.id === open);
  const done = () => {
    setMade(undefined);
    close();
  };
  const add = <Button appearance="primary" icon={<AddRegular />} onClick={() => show("new")}>New application</Button>;
  return (
    <PageHead title="API applications" scroll text="Programs that use the API sign in with a client id and a secret, and may do what you choose for them. Clients of the Defender API work unchanged.">
      {!data || !rules ? (
        <Spinner label="Reading …" />
      ) : (
        <>
          {data.length === 0 ? (
            <Empty icon={<PlugConnectedRegular />} title="No application yet" action={add}>Create one for each program: its permissions, secrets and limits are then its own, and the audit log tells what it did.</Empty>
          ) : (
            <>
              <div className={s.bar}>{add}</div>
              <PlainTable
                label="API applications"
                rows={data}
                rowKey={(a) => a.id}
                middle
                columns={[
                  { key: "name", title: "Name", render: (a) => <><OpenLink id={a.id}>{a.name}</OpenLink>{a.owner !== "" && <div className={s.quiet}>{`Own token of ${a.owner}`}</div>}</> },
                  { key: "state", title: "State", width: "130px", render: (a) => <Chip tone={appState(a, now) === "On" ? "good" : "quiet"}>{appState(a, now)}</Chip> },
                  { key: "permissions", title: "Permissions", width: "26%", render: (a) => <span title={a.permissions.join("\n")}>{a.permissions.length === 0 ? "Only for people" : a.permissions.length > 2 ? `${a.permissions[0]} and ${a.permissions.length - 1} more` : a.permissions.join(", ")}</span> },
                  { key: "secrets", title: "Secrets", width: "84px", align: "end", render: (a) => number(a.secrets.length) },
                  { key: "calls", title: "Calls", width: "110px", align: "end", render: (a) => number(a.calls) },
                  { key: "refused", title: "Refused", width: "100px", align: "end", render: (a) => number(a.refused) },
                  { key: "used", title: "Last used", width: "210px", render: (a) => <><Ago at={a.last_used ?? undefined} />{a.last_remote && <span className={s.quiet}>{` from ${a.last_remote}`}</span>}</> },
                ]}
              />
            </>
          )}
          <div className={s.limits}><ApiLimits key={`${rules.preset} ${rules.per_minute}`} settings={rules} /></div>
          {open === "new" && (
            <Panel title="New application" width={560} onClose={done}>
              {made ? <CredentialsBox made={made} /> : <ApplicationForm settings={rules} onCreated={setMade} onSaved={done} />}
              {made && <div><Button appearance="primary" onClick={done}>{made.client_secret === "" ? "Done" : "I kept the secret"}</Button></div>}
            </Panel>
          )}
          {chosen && <ApplicationPanel key={chosen.id} app={chosen} settings={rules} onClose={done} />}
        </>
      )}
    </PageHead>
  );
}
