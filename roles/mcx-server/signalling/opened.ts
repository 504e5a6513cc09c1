/** A request of a client that is bound: who it is, and its body with the XML in clear (TS 33.180 9.3). */
import { MikeySakkeError } from "../../../bindings/errors.ts";
import type { KeyId } from "../../../bindings/index.ts";
import type { Part } from "../../../transport/group-xml/index.ts";
import { openSignalling } from "../../../transport/signalling-xml/index.ts";
import type { SipRequest } from "../../../transport/sip/index.ts";
import type { BoundClient } from "./clients.ts";
import type { SignallingContext } from "./context.ts";
import { SignallingRefusal } from "./refusal.ts";
import { identify, partsOf } from "./request.ts";

export interface OpenedRequest {
  readonly client: BoundClient;
  readonly parts: readonly Part[];
}

export async function openRequest(request: SipRequest, context: SignallingContext): Promise<OpenedRequest> {
  const { tokens, now, clients, config } = context;
  const user = await identify(request, tokens, now());
  const own = clients.of(user);
  if (own.length === 0) throw new SignallingRefusal("NOT_BOUND", user);
  const parts = partsOf(request, config.limits.bodyBytes);
  try {
    // The CSK tells which of the user's clients it is.
    const holder = (keyId: KeyId) => own.find((client) => client.receiving(keyId) !== undefined);
    const opened = await openSignalling(parts, { find: (keyId) => holder(keyId)?.xml.find(keyId) });
    const client = opened.key && holder(opened.key.keyId);
    if (client === undefined || !clients.has(client)) {
      throw new SignallingRefusal("XML_REFUSED", "not protected under a CSK of the user");
    }
    client.used(opened.key!.keyId);
    return { client, parts: opened.parts };
  } catch (error) {
    if (!(error instanceof MikeySakkeError) || error instanceof SignallingRefusal) throw error;
    throw new SignallingRefusal("XML_REFUSED", error.message, error);
  }
}

/** Reads a part. */
export function readOrRefuse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    throw new SignallingRefusal(error.code === "BAD_SDP" ? "BAD_SDP" : "BAD_BODY", error.message, error);
  }
}

/** Refuses who is not in the group. */
export async function requireMember({ directory }: SignallingContext, group: string, user: string) {
  const unavailable = (cause: unknown) => new SignallingRefusal("DIRECTORY_UNAVAILABLE", group, cause);
  const member = await directory.member(group, user).catch((error: unknown) => {
    throw unavailable(error);
  });
  if (member !== undefined) return member;
  const exists = await directory.exists(group).catch((error: unknown) => {
    throw unavailable(error);
  });
  throw new SignallingRefusal(exists ? "NOT_A_MEMBER" : "NO_SUCH_GROUP", `${user} in ${group}`);
}
