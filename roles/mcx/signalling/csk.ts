/** The CSK that a client uploads (TS 33.180 5.4), and whose it is. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { type DeliveredKey, openMessage } from "../../../bindings/index.ts";
import { toleranceOf } from "../../../bindings/mikey/tolerance.ts";
import { MEDIA, type Part } from "../../../documents/group-xml/index.ts";
import { openSignalling, PeerXmlKeys } from "../../../documents/signalling-xml/index.ts";
import type { SipRequest } from "../../../transport/sip/index.ts";
import { mayKeyUser } from "../../identity/user-kms.ts";
import { userOf } from "../../server/sip-caller.ts";
import type { SignallingContext } from "./context.ts";
import { type Caller, partOf, provenBy } from "./request.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

export interface UploadedCsk {
  readonly csk: DeliveredKey;
  /** The signer: an MC service ID that the token proves. */
  readonly user: string;
}

/**
 * An access token may be encrypted under the CSK that comes with it; whether the rest is signed does not matter here.
 */
const AS_IT_IS = { switches: { confidentiality: false, integrity: false } };

/**
 * The CSK of a request; undefined: there is none, as where a binding is refreshed.
 *
 * @throws {SignallingRefusal} CSK_REFUSED, TOKEN_MISSING and what `provenBy` throws
 */
export async function uploadedCsk(
  request: SipRequest,
  parts: readonly Part[],
  { users }: Pick<Caller, "users">,
  context: SignallingContext,
): Promise<UploadedCsk | undefined> {
  const octets = partOf(parts, MEDIA.mikey);
  if (octets === undefined) return undefined;
  const uploaded = await openCsk(octets, request, users, context);
  await requireFirst(octets, uploaded, context);
  if (users !== undefined) return uploaded;
  try {
    const proven = await provenUnder(uploaded, request, parts, context);
    if (proven === undefined) throw new SignallingRefusal("TOKEN_MISSING");
    if (!proven.includes(uploaded.user)) throw new SignallingRefusal("CSK_REFUSED", "signed by another user");
    return uploaded;
  } catch (error) {
    uploaded.csk.destroy();
    throw error;
  }
}

/** `users` undefined: the token is known later, and whoever our KMS or one that is permitted has keyed may sign. */
async function openCsk(
  octets: Uint8Array,
  request: SipRequest,
  users: readonly string[] | undefined,
  { keys, seen, now, config }: SignallingContext,
): Promise<UploadedCsk> {
  const named = users && userOf(request, users);
  try {
    const opened = await openMessage(octets, {
      receiver: keys().receiver,
      state: seen,
      now: now(),
      allow: ["CSK"],
      tolerance: toleranceOf(config.tolerate) ?? {},
      // 5.4: signed by the user that the token is of, whose KMS is ours or one that may vouch for this user.
      authorise: ({ uri, kmsUri }) =>
        uri !== undefined && (users?.includes(uri) ?? true) && mayKeyUser(keys(), { uri, kmsUri }),
      ...(named !== undefined && { from: () => named }),
    });
    if (opened.outcome === "accepted") return { csk: opened.key, user: opened.initiator.uri! };
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    throw new SignallingRefusal("CSK_REFUSED", error.message, error);
  }
  throw new SignallingRefusal("CSK_REFUSED", "revoked");
}

async function provenUnder(
  { csk, user }: UploadedCsk,
  request: SipRequest,
  parts: readonly Part[],
  context: SignallingContext,
): Promise<readonly string[] | undefined> {
  const xml = new PeerXmlKeys(user);
  xml.add(csk);
  try {
    const opened = await openSignalling(parts, xml, AS_IT_IS);
    return await provenBy(request, opened.parts, context);
  } catch (error) {
    if (!(error instanceof MikeySakkeError) || error instanceof SignallingRefusal) throw error;
    throw new SignallingRefusal("XML_REFUSED", error.message, error);
  } finally {
    xml.destroy();
  }
}

/** A CSK that one process has taken no other may take, or requests under the CSK could be repeated there (RFC 3830 5.4). */
async function requireFirst(
  octets: Uint8Array,
  { csk }: UploadedCsk,
  { cluster }: SignallingContext,
): Promise<void> {
  try {
    if ((await cluster?.firstSeen(octets)) !== false) return;
  } catch (cause) {
    csk.destroy();
    throw new SignallingRefusal("CLUSTER_UNAVAILABLE", String(cause), cause);
  }
  csk.destroy();
  throw new SignallingRefusal("CSK_REFUSED", "another process had it before");
}
