/** A client in an IMS, on the command line: registered at its core, by way of which all requests go. */
import { registerInIms } from "../../roles/identity/ims.ts";
import { parseSipUri, type SipEndpoint, systemClock } from "../../transport/sip/index.ts";
import type { ImsPlace } from "./ims-options.ts";
import { clientEndpoint } from "./sip.ts";

/** Registered; `close` deregisters. */
export async function imsEndpoint(
  { identity, proxy, password }: ImsPlace,
  ca: string | undefined,
  note: (text: string) => void,
): Promise<{ endpoint: SipEndpoint; close(): Promise<void> }> {
  const { user = "", host } = parseSipUri(identity);
  const { endpoint } = await clientEndpoint(proxy, ca, {
    outboundProxy: `${proxy.uri};lr`,
    ...(password !== undefined && { credentials: { digest: { user, password } } }),
  });
  try {
    const registration = await registerInIms({
      identity,
      registrar: `sip:${host}`,
      endpoint,
      clock: systemClock,
      onFailure: (error) => note(`IMS: ${String(error)}`),
    });
    return {
      endpoint,
      async close() {
        await registration.close();
        await endpoint.close();
      },
    };
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}
