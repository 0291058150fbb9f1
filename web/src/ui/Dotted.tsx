import { Fragment } from "react";

/** A dotted name that may take another line after a dot, where there is no room. */
export function Dotted({ name }: { name: string }) {
  return <>{name.split(".").map((part, i) => <Fragment key={`${i} ${part}`}>{i > 0 && <>.<wbr /></>}{part}</Fragment>)}</>;
}
