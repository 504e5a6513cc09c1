/**
 * A client in an IMS (TS 24.229): it registers its public user identity, which is From of all that it sends and which the core
 * asserts to servers. They know the MC service ID by the access token of the PUBLISH or SUBSCRIBE (TS 24.379 7.2, TS 24.481 6.3.13).
 */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import {
  type Clock,
  type Credentials,
  EXPIRES,
  type Headers,
  type SipEndpoint,
} from "../../transport/sip/index.ts";

/** MCPTT service (TS 24.379 E.2). */
export const MCPTT_SERVICE = "urn:urn-7:3gpp-service.ims.icsi.mcptt";

export interface ImsIdentity {
  /** Public user identity: a SIP URI. */
  readonly identity: string;
}

export interface RegistrationOptions extends ImsIdentity {
  /** SIP URI of the home network, such as sip:home1.net. */
  readonly registrar: string;
  /** Started, with the P-CSCF as outbound proxy; stays the caller's. */
  readonly endpoint: SipEndpoint;
  readonly credentials?: Credentials;
  /** Seconds. */
  readonly expires?: number;
  readonly clock: Clock;
  /** A refresh failed; it is tried again. */
  readonly onFailure?: (error: unknown) => void;
}

export interface Registration {
  /** Ends it. Does not reject: the registrar forgets the client in time. */
  close(): Promise<void>;
}

const EXPIRES_SECONDS = 3600;
const AGAIN_MS = 10_000;

/** RFC 3325 9.2: which of its identities the client would be known by. */
export function prefer(headers: Headers, identity: string): void {
  headers.append("P-Preferred-Identity", `<${identity}>`);
  headers.append("P-Preferred-Service", MCPTT_SERVICE);
}

/**
 * Registers, and keeps it from then on.
 *
 * @throws {MikeySakkeError} transport `IMS_REFUSED`; SIP transport errors
 */
export async function registerInIms(options: RegistrationOptions): Promise<Registration> {
  const { registrar, identity, endpoint, credentials, clock, onFailure } = options;
  const wanted = options.expires ?? EXPIRES_SECONDS;
  let cancel: () => void = () => undefined;
  let isOpen = true;

  async function send(seconds: number): Promise<number> {
    const { status, reason, headers } = await endpoint.request({
      method: "REGISTER",
      uri: registrar,
      from: identity,
      to: identity,
      ...defined({ credentials }),
      headers: (fields) => void fields.set(EXPIRES, seconds),
    });
    if (status < 300) return headers.get(EXPIRES) ?? seconds;
    throw new MikeySakkeError("transport", "IMS_REFUSED", `SIP REGISTER: ${status} ${reason}`);
  }

  function refreshIn(milliseconds: number): void {
    if (isOpen) cancel = clock.after(milliseconds, () => void refresh());
  }

  async function refresh(): Promise<void> {
    try {
      refreshIn((await send(wanted)) * 500);
    } catch (error) {
      onFailure?.(error);
      refreshIn(AGAIN_MS);
    }
  }

  refreshIn((await send(wanted)) * 500);
  return {
    async close() {
      isOpen = false;
      cancel();
      await send(0).catch(() => undefined);
    },
  };
}
