import { makeStyles, tokens } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { software, softwareRecommendations } from "../../api/queries";
import type { Software } from "../../api/schema";
import { Anchor } from "../../app/Anchor";
import { dots } from "../../app/EventDots";
import { number, plural } from "../../lib/format";
import { productPath } from "../../lib/product";
import { countList, releaseName, severityWord, support } from "../../lib/words";
import { Card } from "../../ui/Card";
import { Tags } from "../../ui/Chip";
import { DayBars } from "../../ui/DayBars";
import { Donut } from "../../ui/Donut";
import { Empty } from "../../ui/Empty";
import { Impact } from "../../ui/Exposure";
import { Severity, severityFill } from "../../ui/Severity";
import { useProductId } from "./useProductId";

const useStyles = makeStyles({
  grid: { columnWidth: "360px", columnGap: "16px", "& > section": { breakInside: "avoid", marginBottom: "16px" } },
  list: { listStyleType: "none", margin: 0, padding: 0 },
  row: { display: "flex", alignItems: "center", gap: "10px", padding: "7px 0", borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, "&:last-child": { borderBottom: "none" } },
  grow: { flexGrow: 1, minWidth: 0 },
  quiet: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  num: { fontVariantNumeric: "tabular-nums", fontWeight: tokens.fontWeightSemibold },
});

function Weak({ d }: { d: Software }) {
  const page = productPath(d.id, "vulnerabilities");
  return (
    <Card title="Vulnerabilities by severity" foot={d.weaknesses > 0 && <Anchor to={page}>{`Show all ${number(d.weaknesses)}`}</Anchor>}>
      <Donut
        unit="weakness"
        parts={countList(d.severity).map(([level, value]) => ({
          key: level,
          label: severityWord[level],
          value,
          fill: severityFill[level],
          legend: value > 0 ? <Anchor to={page} search={{ severity: level }}><Severity level={level} /></Anchor> : <Severity level={level} />,
        }))}
      />
    </Card>
  );
}

function Settings({ d }: { d: Software }) {
  const s = useStyles();
  const most = 8;
  return (
    <Card title="Misconfigurations" aside={d.checks.length > 0 && <span className={s.num}>{number(d.checks.length)}</span>} foot={d.checks.length > most && <Anchor to={productPath(d.id, "misconfigurations")}>Show all</Anchor>}>
      {d.checks.length === 0 && <Empty small title="None">No setting that Picket checks of this software fails on a device.</Empty>}
      <ul className={s.list}>
        {d.checks.slice(0, most).map((k) => (
          <li key={k.id} className={s.row}>
            <Severity level={k.severity} />
            <div className={s.grow}><Anchor to="/recommendations" search={{ open: k.id, q: k.id }}>{k.name}</Anchor></div>
            <span className={s.quiet}>{plural(k.devices, "device")}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Todo({ id }: { id: string }) {
  const s = useStyles();
  const { data } = useQuery(softwareRecommendations(id, { page: "1", size: "5" }));
  return (
    <Card title="Top security recommendations" foot={data && data.total > data.items.length && <Anchor to={productPath(id, "recommendations")}>{`Show all ${number(data.total)}`}</Anchor>}>
      {data?.total === 0 && <Empty small title="Nothing to do">No weakness of this software counts, and its settings are as they should be.</Empty>}
      <ul className={s.list}>
        {data?.items.map((r) => (
          <li key={r.id} className={s.row}>
            <div className={s.grow}>
              <Anchor to="/recommendations" search={{ open: r.id, q: r.id }}>{r.name}</Anchor>
              <div className={s.quiet}>{plural(r.exposed, "exposed device")}</div>
            </div>
            <Impact value={r.impact} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Lines({ d }: { d: Software }) {
  const s = useStyles();
  return (
    <Card title="Versions" foot={<Anchor to={productPath(d.id, "versions")}>Show the distribution</Anchor>}>
      <ul className={s.list}>
        {d.distribution.slice(0, 6).map((v) => (
          <li key={v.version} className={s.row}>
            <div className={s.grow}>
              <Anchor to={productPath(d.id, "versions")} search={{ open: v.version }}>{v.version || "not readable"}</Anchor> <Tags tags={v.tags} />
              {v.eol && <div className={s.quiet}>{`${releaseName(v.eol)}: ${support(v.eol)}`}</div>}
            </div>
            <span className={s.quiet}>{plural(v.installed, "device")}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What matters most about a product, as cards. */
export function ProductOverview() {
  const s = useStyles();
  const { data: d, dataUpdatedAt } = useQuery(software(useProductId()));
  if (!d) return null;
  return (
    <div className={s.grid}>
      <Weak d={d} />
      <Card title="Exposed devices over time">
        <DayBars days={d.trend} label="Exposed devices" now={dataUpdatedAt} marks={dots(d.event_days, undefined, productPath(d.id, "events"))} />
      </Card>
      <Todo id={d.id} />
      <Settings d={d} />
      <Lines d={d} />
    </div>
  );
}
