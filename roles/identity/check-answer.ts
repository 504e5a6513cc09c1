/** Checks whether an answer fits its request, and is protected as was agreed (TS 33.180 D.2.2, D.3.1). */
import { wipe } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import {
  type KmsKeys,
  type KmsMessage,
  type KmsRequest,
  type NamedKey,
  type OpenedKmsResponse,
  openKmsResponse,
} from "../../documents/kms-xml/index.ts";
import type { HttpAnswer } from "../../transport/http/exchange.ts";
import { type KmsAnswer, KmsRefusedError } from "./kms-answer.ts";
import type { TransportKeys } from "./transport-keys.ts";

/** Elements of an answer: a certificate has some 20, a key set with wrapped keys some 30. */
const MAX_ELEMENTS = 50_000;

/**
 * Opens an answer; one that is a refusal is thrown. `check` throws unless an answer fits its request: a signed refusal of
 * another request, or an old one, counts as one that anyone may have made.
 */
export async function openAnswer(
  { status, body, retryAfter }: HttpAnswer,
  keys: TransportKeys,
  maxLength: number,
  check: (response: OpenedKmsResponse["response"]) => void,
): Promise<OpenedKmsResponse> {
  let answer: OpenedKmsResponse;
  try {
    const limits = { maxLength, maxElements: MAX_ELEMENTS };
    answer = await openKmsResponse(body, lookupIn(keys), limits);
  } catch (cause) {
    if (status === 200) throw cause;
    throw new KmsRefusedError({
      status,
      authentic: false,
      cause,
      ...defined({ retryAfter }),
    });
  }
  const { response, signedWith } = answer;
  const { error } = response;
  try {
    check(response);
  } catch (cause) {
    wipeSecrets(response.message);
    if (error === undefined && status === 200) throw cause;
    throw new KmsRefusedError({
      status,
      authentic: false,
      cause,
      ...defined({ error, retryAfter }),
    });
  }
  if (error === undefined && status === 200) return answer;
  wipeSecrets(response.message);
  throw new KmsRefusedError({
    status,
    // The signature does not cover the status: what has no KmsError is no refusal of the KMS.
    authentic: signedWith !== undefined && error !== undefined,
    ...defined({ error, retryAfter }),
  });
}

/** D.2.2: where there is an InK, it signs and nothing else does. A client without keys ignores a signature. */
export function lookupIn({ trk, ink }: TransportKeys): KmsKeys | undefined {
  if (trk === undefined && ink === undefined) return undefined;
  const signing = ink ?? trk;
  return {
    transportKey: (id) => (id === undefined || id === trk?.id ? trk : undefined),
    signatureKey: (id) => (id === undefined || id === signing?.id ? signing : undefined),
  };
}

export function requireFit(
  { userUri, kmsUri, clientReqUrl }: OpenedKmsResponse["response"],
  request: Pick<KmsRequest, "userUri" | "kmsUri" | "clientReqUrl">,
): void {
  if (kmsUri !== request.kmsUri) throw unfit("KMS_ANSWER_KMS", `from ${kmsUri}, not ${request.kmsUri}`);
  if (userUri !== request.userUri) throw unfit("KMS_ANSWER_USER", `for ${userUri}, not ${request.userUri}`);
  if (decoded(clientReqUrl) !== decoded(request.clientReqUrl)) {
    throw unfit("KMS_ANSWER_URL", `to a request to ${clientReqUrl}, not ${request.clientReqUrl}`);
  }
}

/** Some KMSs give back the URL without its percent-encoding. */
function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

/** The protection that was agreed on must be used, or an attacker in between could take it away. */
export function requireProtected(
  { response, signedWith, wrappedWith }: OpenedKmsResponse,
  { trk }: TransportKeys,
  signWith: NamedKey | undefined,
): void {
  if (signWith !== undefined && signedWith === undefined) {
    throw new MikeySakkeError("verification", "KMS_ANSWER_UNSIGNED", "the answer of the KMS is not signed");
  }
  const { message } = response;
  const hasSecrets = message?.type === "keyprov" && message.keySets.length > 0;
  if (trk !== undefined && hasSecrets && wrappedWith === undefined) {
    throw new MikeySakkeError(
      "verification",
      "KMS_KEYS_IN_CLEAR",
      "the KMS sent keys that the TrK does not wrap",
    );
  }
}

export function answerOf<T extends KmsMessage["type"]>(
  { response, signedWith, wrappedWith }: OpenedKmsResponse,
  types: readonly T[],
): KmsAnswer<Extract<KmsMessage, { type: T }>> {
  const { message } = response;
  if (message === undefined || !(types as readonly string[]).includes(message.type)) {
    throw unfit("KMS_ANSWER_TYPE", `${message?.type ?? "no message"} in place of ${types.join(" or ")}`);
  }
  return {
    message: message as Extract<KmsMessage, { type: T }>,
    response,
    ...defined({ signedWith, wrappedWith }),
  };
}

/** Clears the keys that a message brought. */
export function wipeSecrets(message: KmsMessage | undefined): void {
  if (message?.type === "keyprov") for (const { rsk, ssk } of message.keySets) wipe(rsk, ssk);
  const { transport = [], integrity = [] } = message?.newKeys ?? {};
  for (const { key } of [...transport, ...integrity]) wipe(key);
}

export function unfit(code: ErrorCode, text: string): MikeySakkeError {
  return new MikeySakkeError("validation", code, `the answer of the KMS is ${text}`);
}
