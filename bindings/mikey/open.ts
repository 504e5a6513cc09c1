/** One call from octets to an accepted key: parsed, verified, accepted. */
import { acceptMessage, type OpenedMessage } from "./accept.ts";
import type { OpenContext } from "./context.ts";
import { parseMessage } from "./parse.ts";
import { verifyMessage } from "./verify.ts";

/**
 * Opens an I_MESSAGE as TS 33.180 5.2 and the receiver order of docs/validation.md demand.
 *
 * @returns the key with its parameters, or notice of an authentic revocation
 * @throws MikeySakkeError with `check`, the number of the check that refused the message
 */
export async function openMessage(octets: Uint8Array, context: OpenContext): Promise<OpenedMessage> {
  const { tolerance, maxBytes } = context;
  const parsed = parseMessage(octets, { tolerance, maxBytes });
  return acceptMessage(await verifyMessage(parsed, context));
}
