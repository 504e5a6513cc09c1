/** The operations of the package as rows, through its public interface. */
import { Receiver, SakkeReceiver } from "../../bindings/index.ts";
import { BATCH, type Row } from "./row.ts";
import type { World } from "./world.ts";

/** Rows on the world's keys. `message` is one of the GMS to the member. */
export function packageRows(world: World, message: Uint8Array): Row[] {
  const { domain, ssv, sed, signer, text, kms, memberKeys, random } = world;
  const { encryption, authentication } = domain;
  let uids: Uint8Array[] = [];
  let uris: string[] = [];
  let turn = 0;
  const texts = Array.from({ length: BATCH }, () => text);
  const freshUids = (count: number) => () => {
    uids = world.freshUids(count);
  };
  const freshUris = () => {
    uris = world.freshUris(BATCH);
  };
  return [
    {
      name: "sakke.encapsulate.batch",
      operations: BATCH,
      prepare: freshUids(BATCH),
      run: () => encryption.encapsulateBatch(uids, ssv),
    },
    {
      name: "sakke.encapsulate.single",
      operations: 1,
      prepare: freshUids(1),
      run: () => encryption.encapsulate(uids[0]!, ssv),
    },
    { name: "sakke.decapsulate", operations: 1, run: () => world.plain.decapsulate(sed) },
    { name: "sakke.decapsulate.prepared", operations: 1, run: () => world.prepared.decapsulate(sed) },
    {
      name: "sakke.validate",
      operations: 1,
      run: () => encryption.validateRsk(memberKeys.uid, memberKeys.rsk),
    },
    { name: "eccsi.sign.batch", operations: BATCH, run: () => signer.signBatch(texts, random) },
    { name: "eccsi.sign.single", operations: 1, run: () => signer.sign(text, random) },
    {
      name: "eccsi.verify",
      operations: 1,
      run: () => {
        const { uid, octets } = world.strangers[turn++ % world.strangers.length]!;
        return world.strangersKey.verify(uid, text, octets);
      },
    },
    {
      name: "eccsi.verify.batch",
      operations: BATCH,
      run: () => {
        const list = Array.from({ length: BATCH }, () => {
          const { uid, octets } = world.strangers[turn++ % world.strangers.length]!;
          return { id: uid, message: text, signature: octets };
        });
        return world.strangersKey.verifyBatch(list);
      },
    },
    {
      name: "eccsi.verify.known",
      operations: 1,
      run: () => authentication.verify(world.known.uid, text, world.known.octets),
    },
    { name: "kms.issue.batch", operations: BATCH, prepare: freshUris, run: () => kms.issue(uris) },
    { name: "imessage.seal.batch", operations: BATCH, prepare: freshUris, run: () => world.seal(uris) },
    { name: "imessage.open", operations: 1, run: () => world.open(message) },
    {
      name: "imessage.first",
      operations: 1,
      run: async () => {
        const receiver = Receiver.load([domain], [memberKeys]);
        await world.open(message, receiver);
        receiver.destroy();
      },
    },
    {
      name: "start.receiver",
      operations: 1,
      run: () => SakkeReceiver.load(encryption, memberKeys.uid, memberKeys.rsk, { prepare: true }).destroy(),
    },
  ];
}
