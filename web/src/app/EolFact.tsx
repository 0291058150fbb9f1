import type { EndOfLife } from "../api/schema";
import { releaseName, support } from "../lib/words";
import { Tags } from "../ui/Chip";
import { Fact } from "../ui/Facts";

/** What is known of the end of release cycles; nothing when nothing is. */
export function EolFact({ eol, wide, name = "End of support" }: { eol: readonly EndOfLife[]; wide?: boolean; name?: string }) {
  if (eol.length === 0) return null;
  return (
    <Fact name={name} wide={wide}>
      {eol.map((e) => (
        <div key={releaseName(e)}>
          {`${releaseName(e)}: ${support(e)}${e.latest ? `; newest release ${e.latest}` : ""} `}
          {e.tag && <Tags tags={[e.tag]} />}
        </div>
      ))}
    </Fact>
  );
}
