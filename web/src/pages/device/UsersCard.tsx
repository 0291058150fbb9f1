import { makeStyles, tokens } from "@fluentui/react-components";
import type { Device } from "../../api/schema";
import { Card } from "../../ui/Card";
import { PlainTable } from "../../ui/PlainTable";
import { Ago } from "../../ui/Time";

const useStyles = makeStyles({ fold: { cursor: "pointer", padding: "8px 0" }, none: { margin: "0 0 12px", color: tokens.colorNeutralForeground2 } });

/** Who is logged on and which local users there are, where the device tells it. */
export function UsersCard({ d }: { d: Device }) {
  const s = useStyles();
  if (d.users.length === 0 && d.logons.length === 0) return null;
  return (
    <Card title="Users">
      {d.logons.length === 0 ? (
        <p className={s.none}>Nobody is logged on.</p>
      ) : (
        <PlainTable
          label="Logged on"
          rows={d.logons}
          rowKey={(l) => `${l.user} ${l.tty ?? ""}`}
          columns={[
            { key: "user", title: "Logged on", render: (l) => l.user },
            { key: "from", title: "From", render: (l) => l.host || l.tty || "–" },
            { key: "since", title: "Since", width: "90px", render: (l) => <Ago at={l.since} /> },
          ]}
        />
      )}
      <details>
        <summary className={s.fold}>{`Local users (${d.users.length})`}</summary>
        <PlainTable
          label="Local users"
          rows={d.users}
          rowKey={(u) => u.name}
          columns={[
            { key: "name", title: "Name", render: (u) => u.name },
            { key: "uid", title: "Number", width: "80px", align: "end", render: (u) => u.uid },
            { key: "shell", title: "Shell", render: (u) => u.shell || "–" },
          ]}
        />
      </details>
    </Card>
  );
}
