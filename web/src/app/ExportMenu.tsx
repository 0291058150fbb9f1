import { Button } from "@fluentui/react-components";
import { ArrowDownloadRegular } from "@fluentui/react-icons";
import { address } from "../api/client";
import { Menu } from "../ui/Menu";

/** A button that saves all rows of a list of the API as a file, as CSV or JSON Lines. */
export function ExportMenu({ path, query = {}, label = "Export" }: { path: string; query?: Readonly<Record<string, string>>; label?: string }) {
  const href = (format: string): string => address(`${path}/export`, { ...query, format });
  return (
    <Menu
      label={label}
      entries={[{ kind: "download", key: "csv", text: "CSV", href: href("csv") }, { kind: "download", key: "jsonl", text: "JSON Lines", href: href("jsonl") }]}
      trigger={(p) => <Button appearance="subtle" icon={<ArrowDownloadRegular />} {...p}>{label}</Button>}
    />
  );
}
