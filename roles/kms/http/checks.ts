/**
 * The checks that must hold before a request is answered, in order. The last one has an effect, so that a request that
 * was refused may be sent again once its fault is mended.
 */
import { createHash } from "node:crypto";
import { utf8 } from "../../../base/bytes.ts";
import { withoutQuery } from "../../server/without-query.ts";
import { KmsRefusal } from "../common/errors.ts";
import type { Exchange, Tools } from "../common/exchange.ts";
import { requestedPeriods } from "../common/periods.ts";
import { activeKey, keyThatMustSign, wrappingKey } from "../common/transport-keys.ts";
import { requireUser } from "../common/users.ts";

export interface Check {
  readonly name: string;
  /** Throws a KmsRefusal. */
  run(exchange: Exchange, tools: Tools): void | Promise<void>;
}

export const CHECKS: readonly Check[] = [
  { name: "UserUri is the token's", run: userUri },
  { name: "the URI of the path is the token's", run: keyUri },
  { name: "KmsUri is this KMS", run: kmsUri },
  { name: "ClientReqUrl is this resource", run: clientReqUrl },
  { name: "Time is recent", run: time },
  { name: "signature by policy", run: signature },
  { name: "TrK by policy", run: transportKey },
  { name: "key period by policy", run: period },
  { name: "user enrolled and not revoked", run: user },
  { name: "not received before", run: replay },
];

function userUri({ request, permitted }: Exchange): void {
  if (request !== undefined && !permitted.includes(request.userUri)) {
    throw new KmsRefusal("WRONG_IDENTITY", `UserUri ${request.userUri}`);
  }
}

function keyUri({ keyUri: uri, permitted }: Exchange): void {
  if (uri !== undefined && !permitted.includes(uri)) throw new KmsRefusal("WRONG_IDENTITY", `keys of ${uri}`);
}

function kmsUri({ request }: Exchange, { config }: Tools): void {
  if (request !== undefined && request.kmsUri !== config.kmsUri)
    throw new KmsRefusal("WRONG_KMS", request.kmsUri);
}

function clientReqUrl({ request, target }: Exchange, { urls }: Tools): void {
  if (request !== undefined && !urls.matches(request.clientReqUrl, target)) {
    throw new KmsRefusal("WRONG_REQUEST_URL", withoutQuery(request.clientReqUrl));
  }
}

function time({ request, now }: Exchange, { config }: Tools): void {
  if (request === undefined) return;
  const { requestMaxAge, clockSkew } = config.policy;
  const age = (now - request.time) / 1000;
  if (age > requestMaxAge + clockSkew || -age > clockSkew)
    throw new KmsRefusal("STALE_REQUEST", `${age} s old`);
}

function signature({ signedWith, keys }: Exchange, { config }: Tools): void {
  if (signedWith === undefined) {
    // Also where policy does not require it: an attacker who removes a signature must gain nothing.
    const must = config.policy.requireSignature || activeKey(keys, "InK") !== undefined;
    if (must) throw new KmsRefusal("SIGNATURE_REQUIRED");
    return;
  }
  const used = keys.find((key) => key.id === signedWith);
  if (used?.kind !== "InK" && keyThatMustSign(keys)?.kind === "InK") {
    throw new KmsRefusal("SIGNATURE_KEY", "signed with a TrK where there is an InK");
  }
}

function transportKey(exchange: Exchange, { config }: Tools): void {
  if (wrappingKey(exchange) !== undefined) return;
  if (exchange.request?.trkId !== undefined)
    throw new KmsRefusal("TRANSPORT_KEY_UNKNOWN", exchange.request.trkId);
  if (config.policy.requireTransportKey && exchange.target.type === "keyprov") {
    throw new KmsRefusal("TRANSPORT_KEY_REQUIRED");
  }
}

function period(exchange: Exchange, tools: Tools): void {
  if (exchange.target.type === "keyprov") requestedPeriods(exchange, tools);
}

async function user({ userUri: uri, keyUri: other, now }: Exchange, tools: Tools): Promise<void> {
  await requireUser(uri, now, tools);
  if (other !== undefined && other !== uri) await requireUser(other, now, tools);
}

/** Only what is signed can be told apart from a request of another sender: token and TLS guard the rest. */
async function replay(
  { request, signedWith, signatureValue }: Exchange,
  { config, store }: Tools,
): Promise<void> {
  if (request === undefined || signedWith === undefined || signatureValue === undefined) return;
  const digest = createHash("sha256")
    .update(utf8(`${signedWith}\n`))
    .update(signatureValue)
    .digest();
  const { requestMaxAge, clockSkew } = config.policy;
  const expires = request.time + (requestMaxAge + clockSkew + 1) * 1000;
  if (!(await store.remember(new Uint8Array(digest), expires, request.time)))
    throw new KmsRefusal("REPLAYED");
}
