/** Opens a message vector with this package, from nothing but what the file holds. */
import { fromHex, toHex } from "../../base/bytes.ts";
import type { Core } from "../../bindings/core/core.ts";
import { formatKeyId } from "../../bindings/identity/index.ts";
import { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import { Receiver } from "../../bindings/identity/receiver.ts";
import { MemoryReceiverState, type OpenContext, openMessage } from "../../bindings/mikey/index.ts";
import { certificatesOf, keySetsOf, readKmsDocument, withUid } from "../../documents/kms-xml/index.ts";
import type { MessageTest } from "./form.ts";

/** The receiver of a group of tests. */
export function receiverOf(core: Core, group: { readonly [field: string]: unknown }): Receiver {
  const { certificates, keySets } = group as { certificates: string[]; keySets: string[] };
  const read = certificates.flatMap((xml) => certificatesOf(readKmsDocument(xml)));
  const domains = read.map((certificate) => KmsDomain.load(core, certificate));
  const keys = keySets
    .flatMap((xml) => keySetsOf(readKmsDocument(xml)))
    .map((set) => withUid(set, read.find(({ kmsUri }) => kmsUri === set.kmsUri)!));
  return Receiver.load(domains, keys);
}

/** Returns what a valid message brings, in the form of `expected`. Rejects where the message is refused. */
export async function openVector(receiver: Receiver, test: MessageTest): Promise<Record<string, unknown>> {
  const { now, allow = ["GMK"], authorised, expectedGroups, ...rest } = test.context;
  const context = {
    ...rest,
    receiver,
    state: new MemoryReceiverState(),
    now: Date.parse(now),
    allow,
    authorise: ({ uri }) => uri !== undefined && authorised.includes(uri),
    ...(expectedGroups && { expectsGroup: (uri: string) => expectedGroups.includes(uri) }),
  } as OpenContext;
  for (const before of test.before ?? []) await openMessage(fromHex(before), context);
  const opened = await openMessage(fromHex(test.msg), context);
  const { kind, keyId, initiator, recipient, parameters } = opened;
  const common = {
    kind,
    keyId: formatKeyId(keyId),
    initiator: initiator.uri,
    recipient: recipient.uri,
    groups: parameters?.groups.map(({ uri }) => uri) ?? [],
    text: parameters?.text ?? "",
  };
  if (opened.outcome === "revoked") return { outcome: "revoked", ...common };
  const { key, activation, expiry } = opened;
  return {
    outcome: "valid",
    ...common,
    ukId: formatKeyId(key.ukId),
    rand: toHex(key.rand),
    key: toHex(key.reveal()),
    activation: new Date(activation).toISOString(),
    ...(expiry !== undefined && { expiry: new Date(expiry).toISOString() }),
  };
}
