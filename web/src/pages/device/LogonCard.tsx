import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { LogonUser } from "../../api/schema";
import { logonUsers } from "../../api/timeline";
import { Anchor } from "../../app/Anchor";
import { number, plural } from "../../lib/format";
import { Card } from "../../ui/Card";
import { Fact, Facts } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";
import { PlainTable } from "../../ui/PlainTable";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({
  big: { fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, marginRight: "8px" },
  note: { color: tokens.colorNeutralForeground3, margin: "12px 0 0" },
  facts: { marginTop: "14px" },
  link: { border: "none", background: "none", padding: 0, font: "inherit", color: tokens.colorBrandForegroundLink, cursor: "pointer", "&:hover": { textDecorationLine: "underline" }, "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
});

const full = (u: LogonUser): string => (u.domain ? `${u.domain}\\${u.name}` : u.name);

/** Who logged on to the device in 30 days. */
export function LogonCard({ device }: { device: string }) {
  const s = useStyles();
  const { data } = useQuery(logonUsers(device));
  const [open, setOpen] = useState(false);
  const good = data?.items.filter((u) => u.logons > 0) ?? [];
  const failed = data?.items.reduce((n, u) => n + u.failed, 0) ?? 0;
  return (
    <Card
      title="Logged-on users"
      aside={data && data.items.length > 0 && <button type="button" className={s.link} onClick={() => setOpen(true)}>See all users</button>}
    >
      {!data ? null : (
        <>
          <div><span className={s.big}>{number(good.length)}</span>{`${good.length === 1 ? "user" : "users"} in ${data.days} days`}</div>
          {good.length > 0 && (
            <div className={s.facts}>
              <Facts>
                <Fact name="Most frequent"><span title="By interactive logons">{data.most}</span></Fact>
                <Fact name="Least frequent"><span title="By interactive logons">{data.least}</span></Fact>
                <Fact name="Interactive">{plural(good.filter((u) => u.interactive > 0).length, "user")}</Fact>
              </Facts>
            </div>
          )}
          <p className={s.note}>
            {failed > 0 ? <Anchor to={`/devices/${encodeURIComponent(device)}/timeline`} search={{ action: "LogonFailed" }}>{plural(failed, "failed logon")}</Anchor> : data.items.length === 0 ? "No logon was reported." : "No failed logon."}
          </p>
        </>
      )}
      {open && data && (
        <Panel title="Logged-on users" subtitle={`In ${data.days} days, most frequent first`} onClose={() => setOpen(false)}>
          <PlainTable
            label="Logged-on users"
            rows={data.items}
            rowKey={full}
            columns={[
              { key: "user", title: "User", render: (u) => <>{full(u)}{u.local_admin ? " (administrator)" : ""}</> },
              { key: "logons", title: "Logons", width: "74px", align: "end", render: (u) => number(u.logons) },
              { key: "failed", title: "Failed", width: "66px", align: "end", render: (u) => number(u.failed) },
              { key: "types", title: "Types", render: (u) => u.types.join(", ") || "–" },
              { key: "first", title: "First seen", width: "96px", render: (u) => <Ago at={u.first} /> },
              { key: "last", title: "Last seen", width: "96px", render: (u) => <Ago at={u.last} /> },
            ]}
          />
        </Panel>
      )}
    </Card>
  );
}
