import { Button, Tab, TabList, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { MoreHorizontalRegular } from "@fluentui/react-icons";
import { useLayoutEffect, useRef, useState } from "react";
import { number } from "../lib/format";
import { noRoom } from "../lib/tabs";
import { Menu } from "./Menu";

export interface StripTab {
  key: string;
  title: string;
  count?: number;
}

const moreWidth = 36;

const useStyles = makeStyles({
  strip: { display: "flex", alignItems: "center", flexGrow: 1, flexShrink: 1, minWidth: 0 },
  row: { position: "relative", flexGrow: 1, flexShrink: 1, minWidth: 0, "& > button": { paddingLeft: "6px", paddingRight: "6px", flexShrink: 0 } },
  away: { position: "absolute", left: 0, top: 0, visibility: "hidden" },
  count: { marginLeft: "6px", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

/** Tabs in one row. What has no room in it is in a menu at its end; the selected tab is always in the row. */
export function TabStrip({ tabs, selected, onSelect, size }: { tabs: readonly StripTab[]; selected: string; onSelect: (key: string) => void; size?: "small" }) {
  const s = useStyles();
  const box = useRef<HTMLDivElement>(null);
  const [away, setAway] = useState<readonly number[]>([]);
  const [room, setRoom] = useState(0);
  useLayoutEffect(() => {
    const e = box.current;
    if (!e) return;
    const o = new ResizeObserver(() => setRoom(e.clientWidth));
    o.observe(e);
    return () => o.disconnect();
  }, []);
  const drawn = JSON.stringify(tabs);
  const at = tabs.findIndex((t) => t.key === selected);
  useLayoutEffect(() => {
    const fit = () => {
      const e = box.current;
      if (!e) return;
      const next = noRoom([...e.querySelectorAll<HTMLElement>("[role=tab]")].map((t) => t.offsetWidth), at, e.clientWidth, moreWidth);
      setAway((now) => (now.join() === next.join() ? now : next));
    };
    fit();
    const later = requestAnimationFrame(fit); // the selected tab is bold a moment later
    return () => cancelAnimationFrame(later);
  }, [drawn, at, room]);
  return (
    <div ref={box} className={s.strip}>
      <TabList className={s.row} size={size} selectedValue={selected} onTabSelect={(_, t) => onSelect(String(t.value))}>
        {tabs.map((t, i) => (
          <Tab key={t.key} value={t.key} className={mergeClasses(away.includes(i) && s.away)}>{t.title}{t.count !== undefined && <span className={s.count}>{number(t.count)}</span>}</Tab>
        ))}
      </TabList>
      {away.length > 0 && (
        <Menu
          label="More tabs"
          align="end"
          entries={tabs.filter((_, i) => away.includes(i)).map((t) => ({ kind: "action", key: t.key, text: t.count === undefined ? t.title : `${t.title} (${number(t.count)})`, onSelect: () => onSelect(t.key) }))}
          trigger={(p) => <Button {...p} appearance="subtle" size={size} icon={<MoreHorizontalRegular />} aria-label="More tabs" title="More tabs" />}
        />
      )}
    </div>
  );
}
