/** Reads a request: path, then token, then body, so that nobody without a token gets XML parsed. */
import { wipe } from "../../../base/bytes.ts";
import { type KmsKeys, type OpenedKmsRequest, openKmsRequest } from "../../../documents/kms-xml/index.ts";
import type { KmsStore, TransportKeyRecord } from "../../../store/index.ts";
import { KmsRefusal } from "../common/errors.ts";
import type { Exchange, KmsHttpRequest, Tools } from "../common/exchange.ts";
import { parsePath } from "../common/path.ts";
import { permittedIdentities } from "../common/permitted.ts";
import { inPreference, isUsable, keyThatMustSign } from "../common/transport-keys.ts";

/** A KmsRequest has some 20 elements; a KrrList may embed many redirect responses (D.4.1). */
const MAX_ELEMENTS = 2000;

/** The facts known by now, for the answer in case that the rest fails. */
export interface Known {
  type?: string;
  permitted?: readonly string[];
  /** As the request has them: a client takes a refusal for genuine only if it fits. */
  userUri?: string;
  clientReqUrl?: string;
  keys?: readonly TransportKeyRecord[];
}

export async function readExchange(
  http: KmsHttpRequest,
  now: number,
  tools: Tools,
  known: Known,
): Promise<Exchange> {
  const { config, store, tokens } = tools;
  const target = parsePath(http.path);
  known.type = target.type;
  const token = await tokens.verify(http.authorization, now);
  const permitted = permittedIdentities(token, config.servers);
  if (permitted.length === 0) throw new KmsRefusal("WRONG_IDENTITY", "no identity in the token");
  known.permitted = permitted;
  const keys = await transportKeysOf(store, permitted);
  known.keys = keys;
  const opened = readBody(http.rawBody, keys, tools);
  const { userUri: asking, clientReqUrl } = opened?.request ?? {};
  if (asking !== undefined && permitted.includes(asking)) known.userUri = asking;
  if (clientReqUrl !== undefined && tools.urls.matches(clientReqUrl, target))
    known.clientReqUrl = clientReqUrl;

  const named = target.uris?.find((uri) => permitted.includes(uri)) ?? target.uris?.[0];
  const keyUri = target.type === "keyprov" ? named : undefined;
  const own = keyUri !== undefined && permitted.includes(keyUri) ? keyUri : permitted[0]!;
  const userUri = opened?.request.userUri ?? own;
  const ordered = inPreference(keys, [keyUri, userUri]);
  return { now, target, token, permitted, keyUri, ...opened, userUri, keys: ordered };
}

/** The identities of one token are one client's, and so are the keys that it shares with the KMS. */
async function transportKeysOf(store: KmsStore, uris: readonly string[]): Promise<TransportKeyRecord[]> {
  const keys: TransportKeyRecord[] = [];
  for (const uri of uris) keys.push(...(await store.transportKeys(uri)));
  for (const { key } of keys.filter((record) => !isUsable(record))) wipe(key);
  return keys.filter(isUsable);
}

/** The production client posts nothing when message security is off (D.2.2). */
function readBody(
  body: Uint8Array,
  keys: readonly TransportKeyRecord[],
  { config, schema }: Tools,
): OpenedKmsRequest | undefined {
  if (body.every(isXmlSpace)) return undefined;
  const limits = { maxLength: config.limits.bodyBytes, maxElements: MAX_ELEMENTS };
  if (config.policy.strictSchema) schema!.validate(body, limits);
  return openKmsRequest(body, signatureKeys(keys), limits);
}

function isXmlSpace(octet: number): boolean {
  return octet === 0x20 || octet === 0x09 || octet === 0x0a || octet === 0x0d;
}

function signatureKeys(keys: readonly TransportKeyRecord[]): KmsKeys {
  return {
    transportKey: () => undefined,
    signatureKey: (id) => (id === undefined ? keyThatMustSign(keys) : keys.find((key) => key.id === id)),
  };
}
