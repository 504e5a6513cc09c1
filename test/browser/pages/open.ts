/** A client that reads its keys from KMS documents and opens a message. */
import {
  type Build,
  formatKeyId,
  fromBase64,
  KmsDomain,
  load,
  MemoryReceiverState,
  openMessage,
  Receiver,
} from "../../../bindings/index.ts";
import { certificatesOf, keySetsOf, readKmsDocument, withUid } from "../../../documents/kms-xml/index.ts";

export async function open(build: Build, from: string, at: string): Promise<Record<string, unknown>> {
  const core = await load({ build });
  const certificate = certificatesOf(readKmsDocument(await text("/kms.xml")))[0]!;
  const keySets = keySetsOf(readKmsDocument(await text("/keys.xml"))).map((k) => withUid(k, certificate));
  const domain = KmsDomain.load(core, certificate);
  const receiver = Receiver.load([domain], keySets);
  const opened = await openMessage(fromBase64((await text("/message")).trim().replace(/^mikey /, "")), {
    receiver,
    state: new MemoryReceiverState(),
    now: Date.parse(at),
    allow: ["GMK"],
    authorise: ({ uri }) => uri === from,
    from,
  });
  const { build: used } = core;
  const { outcome, kind, keyId, initiator } = opened;
  const ukId = opened.outcome === "accepted" ? opened.key.ukId : 0;
  core.destroy();
  return {
    build: used,
    outcome,
    kind,
    gmkId: formatKeyId(keyId),
    gukId: formatKeyId(ukId),
    initiator: initiator.uri,
  };
}

async function text(path: string): Promise<string> {
  return (await fetch(path)).text();
}
