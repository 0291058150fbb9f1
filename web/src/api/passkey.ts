/** What the browser does with passkeys (WebAuthn). */

/** The browser knows passkeys, and this page may use them. */
export const passkeysWork = (): boolean => window.isSecureContext && "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;

/** Why nothing came of a passkey, in a sentence for people. */
function why(err: unknown): Error {
  const name = err instanceof DOMException ? err.name : "";
  if (name === "NotAllowedError") return new Error("Nothing was chosen, or the time was over. Try again.");
  if (name === "InvalidStateError") return new Error("This device holds a passkey of this account already.");
  if (name === "SecurityError") return new Error("Passkeys do not work at this address. Open the console at the address that it is known by.");
  return err instanceof Error ? err : new Error(String(err));
}

async function taken(ask: Promise<Credential | null>): Promise<unknown> {
  let got: Credential | null;
  try {
    got = await ask;
  } catch (err) {
    throw why(err);
  }
  if (!(got instanceof PublicKeyCredential)) throw new Error("The browser gave no passkey.");
  return got.toJSON() as unknown;
}

/** Makes a passkey as the server asks for. */
export const makePasskey = (options: unknown): Promise<unknown> =>
  taken(navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON) }));

/** Signs the server's challenge with a passkey. */
export const answerPasskey = (options: unknown): Promise<unknown> =>
  taken(navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON) }));
