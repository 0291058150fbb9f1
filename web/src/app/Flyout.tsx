import { Button, Spinner } from "@fluentui/react-components";
import { Fragment, type ReactNode } from "react";
import { explain } from "../api/client";
import { Empty } from "../ui/Empty";
import { Panel } from "../ui/Panel";
import { TabStrip } from "../ui/TabStrip";
import type { FlyoutFrame } from "./ListView";

export interface FlyoutTab {
  key: string;
  title: string;
  render: () => ReactNode;
}

export interface FlyoutProps {
  frame: FlyoutFrame;
  title: string;
  subtitle?: ReactNode;
  actions?: ReactNode;
  tabs: readonly FlyoutTab[];
  /** The answer that the tabs need: they are shown once it is there. */
  state: { data: unknown; error: Error | null; refetch: () => unknown };
}

/** The flyout of a row. Which tab is shown is part of the URL. */
export function Flyout({ frame, title, subtitle, actions, tabs, state }: FlyoutProps) {
  const tab = tabs.find((t) => t.key === frame.view) ?? tabs[0];
  let body: ReactNode = <Spinner size="small" label="Reading …" />;
  if (state.data !== undefined) body = <Fragment key={tab?.key}>{tab?.render()}</Fragment>; // a tab never starts with the rows of another
  else if (state.error) body = <Empty title="This item could not be read" action={<Button onClick={() => void state.refetch()}>Try again</Button>}>{explain(state.error)}</Empty>;
  return (
    <Panel
      title={title}
      label={title}
      subtitle={subtitle}
      actions={actions}
      onClose={frame.onClose}
      onPrevious={frame.onPrevious}
      onNext={frame.onNext}
      tabs={
        tabs.length > 1 && (
          <TabStrip size="small" tabs={tabs.map(({ key, title }) => ({ key, title }))} selected={tab?.key ?? ""} onSelect={(key) => frame.onView(key === tabs[0]?.key ? "" : key)} />
        )
      }
    >
      {body}
    </Panel>
  );
}
