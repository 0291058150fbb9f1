import { Field, Input } from "@fluentui/react-components";

/** Asks for the password again where the server will; `ask` says whether it will. */
export function Sure({ ask, password, onChange }: { ask: boolean; password: string; onChange: (text: string) => void }) {
  if (!ask) return null;
  return (
    <Field label="Your password" required hint="Because you signed in more than 15 minutes ago.">
      <Input type="password" autoComplete="current-password" value={password} onChange={(_, d) => onChange(d.value)} />
    </Field>
  );
}
