/**
 * TrKs and InKs of a client (TS 33.180 5.3, D.2.2): which of them protect an answer, and how they are replaced. A new
 * key waits as "pending" and goes along with each answer until a request proves that the client has it; then the one
 * before is retired.
 */
import { toHex } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { KmsProtection, NewKeys } from "../../../documents/kms-xml/index.ts";
import type { TransportKeyKind, TransportKeyRecord, TransportKeyState } from "../../../store/index.ts";
import type { Exchange, Tools } from "./exchange.ts";

const KEY_BYTES = 32;
const ID_BYTES = 12;

export function isUsable({ state }: TransportKeyRecord): boolean {
  return state !== "retired";
}

/** For `activeKey`, which takes the last: those of the last URI at the end, those of none of them at the start. */
export function inPreference(
  keys: readonly TransportKeyRecord[],
  preferred: readonly (string | undefined)[],
): TransportKeyRecord[] {
  const rank = ({ userUri }: TransportKeyRecord) => preferred.lastIndexOf(userUri);
  return keys.toSorted((a, b) => rank(a) - rank(b));
}

/** The newest key of a kind that the client is known to have. */
export function activeKey(
  keys: readonly TransportKeyRecord[],
  kind: TransportKeyKind,
): TransportKeyRecord | undefined {
  return keys.findLast((key) => key.kind === kind && key.state === "active");
}

/** D.2.2: where there is an InK it signs, otherwise the TrK. */
export function keyThatMustSign(keys: readonly TransportKeyRecord[]): TransportKeyRecord | undefined {
  return activeKey(keys, "InK") ?? activeKey(keys, "TrK");
}

/** The TrK that a request names, or else the one that the client has. */
export function wrappingKey({ keys, request }: Exchange): TransportKeyRecord | undefined {
  const id = request?.trkId;
  return id === undefined ? activeKey(keys, "TrK") : keys.find((key) => key.kind === "TrK" && key.id === id);
}

/**
 * Returns whether the request shows that the client has the key: it is signed with it, or names it and is signed with an
 * InK. An id alone shows nothing: it stands in answers in clear.
 */
function isProven(key: TransportKeyRecord, { keys, request, signedWith }: Exchange): boolean {
  if (key.id === signedWith) return true;
  const signing = keys.find(({ id }) => id === signedWith);
  return key.kind === "TrK" && key.id === request?.trkId && signing?.kind === "InK";
}

/** The keys after this request: what it proves of "pending" becomes active, and those before it are retired. */
export async function activateProven(
  exchange: Exchange,
  { store, log }: Tools,
): Promise<TransportKeyRecord[]> {
  let keys = [...exchange.keys];
  for (const record of exchange.keys.filter((key) => key.state === "pending" && isProven(key, exchange))) {
    await store.activate(record.id);
    log.info({ keyId: record.id, kind: record.kind }, "transport key in use");
    keys = keys
      .filter(
        (key) => !(key.kind === record.kind && key.userUri === record.userUri && key.state === "active"),
      )
      .map((key) => (key.id === record.id ? { ...key, state: "active" as const } : key));
  }
  return keys;
}

/**
 * Decides how the answer is protected. A client that signs, or has an InK, gets a signed one; a client that has a TrK
 * gets keys wrapped, whether it asks for it or not.
 */
export function protectionOf(exchange: Exchange): KmsProtection {
  const wrapWith = wrappingKey(exchange);
  const signs = exchange.signedWith !== undefined || activeKey(exchange.keys, "InK") !== undefined;
  const signWith = signs ? keyThatMustSign(exchange.keys) : undefined;
  return defined({ wrapWith, signWith });
}

/** The keys to go along with the answer: those pending, and new ones in place of those that are too old. */
export async function newKeysFor(exchange: Exchange, tools: Tools): Promise<NewKeys | undefined> {
  const wrapWith = wrappingKey(exchange);
  if (wrapWith === undefined) return undefined;
  const { userUri } = wrapWith;
  const own = exchange.keys.filter((key) => key.userUri === userUri);
  const ofKind = async (kind: TransportKeyKind) => {
    const pending = own.filter((key) => key.kind === kind && key.state === "pending");
    if (pending.length > 0) return pending;
    const lifetime = tools.config.policy.transportKeyLifetime * 1000;
    const present = activeKey(own, kind);
    if (present === undefined || lifetime === 0 || exchange.now - present.createdAt < lifetime) return [];
    const fresh = drawTransportKey(tools.random, userUri, kind, "pending", exchange.now);
    // The operator may have ended the key that it goes under since the request came in.
    await tools.store.addTransportKey(fresh, { under: wrapWith.id });
    return [fresh];
  };
  const [transport, integrity] = [await ofKind("TrK"), await ofKind("InK")];
  return transport.length + integrity.length > 0 ? { transport, integrity } : undefined;
}

export function drawTransportKey(
  random: RandomSource,
  userUri: string,
  kind: TransportKeyKind,
  state: TransportKeyState,
  createdAt: number,
): TransportKeyRecord {
  const id = `${kind.toLowerCase()}-${toHex(random(ID_BYTES))}`;
  return { id, userUri, kind, key: random(KEY_BYTES), state, createdAt };
}
