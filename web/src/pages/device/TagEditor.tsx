import { makeStyles, tokens } from "@fluentui/react-components";
import { DismissRegular, FlowRegular, LaptopRegular } from "@fluentui/react-icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { changeTags } from "../../api/queries";
import type { Device } from "../../api/schema";
import { TagInput } from "../../app/TagInput";
import { useMay } from "../../app/useMay";
import { Chip } from "../../ui/Chip";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: "0 0 10px", padding: 0, display: "flex", flexWrap: "wrap", gap: "6px" },
  remove: {
    display: "flex",
    padding: "2px",
    marginRight: "-4px",
    border: "none",
    borderRadius: tokens.borderRadiusCircular,
    background: "none",
    color: "inherit",
    fontSize: "12px",
    cursor: "pointer",
    "&:hover": { backgroundColor: "var(--colorSurfaceHover)" },
    "&:focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  icon: { display: "flex", fontSize: "14px" },
  quiet: { color: tokens.colorNeutralForeground3, margin: "0 0 10px" },
  wrong: { color: tokens.colorStatusDangerForeground1, fontSize: tokens.fontSizeBase200, marginTop: "6px" },
});

/** The tags of a device: those of people can be added and taken away, those of rules and of the agent are shown as such. */
export function TagEditor({ d }: { d: Device }) {
  const s = useStyles();
  const client = useQueryClient();
  const { may } = useMay("alerts.investigate", "settings.security");
  const change = useMutation({
    mutationFn: (c: { add?: string[]; remove?: string[] }) => changeTags({ devices: [d.id], ...c }),
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <>
      {d.tag_list.length === 0 && <p className={s.quiet}>No tags</p>}
      {d.tag_list.length > 0 && (
        <ul className={s.list} aria-label="Tags">
          {d.tag_list.map((t) => {
            const manual = t.kinds.includes("manual");
            const ruled = t.kinds.includes("rule");
            return (
              <li key={t.tag}>
                <Chip
                  tone={manual ? "info" : "quiet"}
                  title={manual ? (t.kinds.length > 1 ? `Given by hand, and by ${ruled ? "a rule" : "the agent"}` : "Given by hand") : ruled ? "Given by a rule: see Settings › Tag rules" : "Given by the device's agent"}
                  icon={!manual && <span className={s.icon} aria-hidden>{ruled ? <FlowRegular /> : <LaptopRegular />}</span>}
                >
                  {t.tag}
                  {manual && may && (
                    <button type="button" className={s.remove} aria-label={`Remove tag ${t.tag}`} title="Remove" disabled={change.isPending} onClick={() => change.mutate({ remove: [t.tag] })}>
                      <DismissRegular aria-hidden />
                    </button>
                  )}
                </Chip>
              </li>
            );
          })}
        </ul>
      )}
      {may && <TagInput busy={change.isPending} without={d.tags} onAdd={(tag) => change.mutate({ add: [tag] })} />}
      {change.error && <div className={s.wrong} role="alert">{explain(change.error)}</div>}
    </>
  );
}
