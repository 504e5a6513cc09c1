/** The body of a request to the server: its XML protected under the CSK, and bound to the request with all the rest of it. */
import { toHex } from "../../../base/bytes.ts";
import { utf8 } from "../../../bindings/index.ts";
import { type Part, type RequestBinding, writeMultipart } from "../../../documents/group-xml/index.ts";
import { digestOfUnsigned, sealSignalling } from "../../../documents/signalling-xml/index.ts";
import type { RequestIds } from "../../../transport/sip/index.ts";
import type { HeldControlKeys } from "./held-control-keys.ts";
import type { McxClientOptions } from "./options.ts";

export interface BoundRequest {
  /** The identifiers that the request must have. */
  readonly ids: RequestIds;
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface RequestContent {
  readonly method: string;
  /** Media type and text of the info document. */
  readonly contentType: string;
  readonly info: (binding: RequestBinding) => string;
  readonly parts: readonly Part[];
}

/** RFC 3261 19.3 and 8.1.1.4: at least 32 random bits. */
const ID_BYTES = 16;

/** @throws {MikeySakkeError} usage `NO_SIGNALLING_KEY` when no CSK is uploaded */
export async function sealRequest(
  { random, now }: Pick<McxClientOptions, "random" | "now">,
  held: HeldControlKeys,
  { method, contentType, info, parts }: RequestContent,
): Promise<BoundRequest> {
  const ids = { callId: toHex(random(ID_BYTES)), fromTag: toHex(random(ID_BYTES)) };
  const document = info({ ...ids, method, time: now(), digest: digestOfUnsigned(parts) });
  const whole = [{ contentType, body: utf8(document) }, ...parts];
  return { ids, ...writeMultipart(await sealSignalling(whole, held.xml.sending, { random })) };
}
