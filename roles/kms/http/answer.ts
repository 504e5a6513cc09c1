/** Answers as HTTP responses: a KmsResponse with a message or with a KmsError (TS 33.180 D.3.1). */
import { type KmsProtection, type KmsResponse, sealKmsResponse } from "../../../documents/kms-xml/index.ts";
import { httpChallenge } from "../../server/bearer-challenge.ts";
import { withoutQuery } from "../../server/without-query.ts";
import type { KmsRefusal } from "../common/errors.ts";
import type { Exchange, KmsHttpRequest, KmsHttpResponse, Tools } from "../common/exchange.ts";
import { ROOT } from "../common/path.ts";
import { activeKey } from "../common/transport-keys.ts";
import type { Outcome } from "../procedures/procedure.ts";
import type { Known } from "./read-exchange.ts";

/** A KmsResponse must have a UserUri, also where nobody knows who asked: the anonymous URI of RFC 3261 20.20. */
const NOBODY = "sip:anonymous@anonymous.invalid";

const HEADERS = {
  "content-type": "application/xml",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

export async function answerOf(
  http: KmsHttpRequest,
  { userUri, request }: Exchange,
  { message }: Outcome,
  protection: KmsProtection,
  { config, urls, now }: Tools,
): Promise<KmsHttpResponse> {
  const clientReqUrl = request?.clientReqUrl ?? urls.urlOf(http.path);
  const response = { userUri, kmsUri: config.kmsUri, time: now(), clientReqUrl, message };
  return { status: 200, headers: HEADERS, body: await sealKmsResponse(response, protection) };
}

/** Signed if the client has an InK, so that nobody on the way can make up refusals. */
export async function refusalAnswer(
  http: Pick<KmsHttpRequest, "path">,
  known: Known,
  { status, errorCode, text, code }: KmsRefusal,
  { config, urls, now }: Pick<Tools, "config" | "urls" | "now">,
): Promise<KmsHttpResponse> {
  const response: KmsResponse = {
    userUri: known.userUri ?? known.permitted?.[0] ?? NOBODY,
    kmsUri: config.kmsUri,
    time: now(),
    clientReqUrl: known.clientReqUrl ?? urls.urlOf(printable(http.path)),
    error: { errorCode, errorMsg: text },
  };
  const signWith = activeKey(known.keys ?? [], "InK");
  const body = await sealKmsResponse(response, signWith && { signWith });
  return { status, body, headers: { ...HEADERS, ...more(status, code) } };
}

/** Header fields that belong to a refusal (RFC 9110 15.5.6 and 15.6.4, RFC 6750 3). */
function more(status: number, code: string): Record<string, string> {
  if (status === 405) return { allow: "POST" };
  return status === 503 ? { "retry-after": "1" } : httpChallenge(code);
}

/** A path that was refused may hold what XML cannot, or be a whole URL. */
function printable(target: string): string {
  const path = withoutQuery(target);
  return /^\/[\x21-\x7e]{0,2047}$/.test(path) ? path : ROOT;
}
