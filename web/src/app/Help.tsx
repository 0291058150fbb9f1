import { makeStyles, tokens } from "@fluentui/react-components";
import { Section } from "../ui/Facts";
import { Panel } from "../ui/Panel";

const keys: readonly [string, string][] = [
  ["j  k", "Next and previous row; beside an open flyout, its next and previous item"],
  ["o", "Open the row's flyout"],
  ["Esc", "Close the flyout or panel"],
  ["/", "Go to the search on top"],
  ["Shift + click", "On a column's header: sort by this column too"],
];

const useStyles = makeStyles({
  list: { display: "grid", gridTemplateColumns: "auto 1fr", gap: "10px 18px", margin: 0 },
  key: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, whiteSpace: "pre", justifySelf: "start", alignSelf: "start", padding: "1px 8px", border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusMedium, backgroundColor: tokens.colorNeutralBackground3 },
  text: { margin: 0 },
});

/** What the console can do that is not written on its buttons. */
export function Help({ onClose }: { onClose: () => void }) {
  const s = useStyles();
  return (
    <Panel title="Help" width={420} onClose={onClose}>
      <Section title="Keys">
        <dl className={s.list}>
          {keys.map(([k, t]) => (
            <div key={k} style={{ display: "contents" }}>
              <dt className={s.key}>{k}</dt>
              <dd className={s.text}>{t}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section title="Lists">
        <p className={s.text}>
          The address of the page holds everything that you look at: search, filters, order, page and the open flyout. Copy it to share a view. An export
          holds exactly the rows that are filtered, all of them. New facts come in by themselves; while you read further down they wait under “new”.
        </p>
      </Section>
      <Section title="What counts">
        <p className={s.text}>
          A weakness counts in exposure when a package on the device is vulnerable and the feed that speaks for it says fix available, open, no advisory
          planned, postponed, will not be fixed or end of life. Everything else is kept and shown with its state, outside exposure. What could not be judged is a coverage gap, never safe.
        </p>
      </Section>
    </Panel>
  );
}
