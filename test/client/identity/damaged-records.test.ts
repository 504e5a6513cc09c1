/** A record that does not open any more: what can be got again is, and the rest stays an error. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KeyStore, MemoryStorage, SealedStorage, StorageKey } from "../../../roles/identity/index.ts";
import { ALICE, KMS_URI, PERIOD, sharedCore, World } from "../../kms/running-kms.ts";
import { AWAY_KMS, makeKms } from "../../support/world.ts";
import { codeOf, type Device, makeDevice, makeTransportKeys, periodsOf } from "./device.ts";

let world: World;
let memory: MemoryStorage;
let alice: Device;
beforeAll(async () => {
  world = await World.create();
  const { certificate } = makeKms(await sharedCore(), AWAY_KMS, {
    certUri: "cert://away/1",
    role: "External",
  });
  await world.kms.admin.putCertificate(certificate, "external");
});
afterAll(() => world?.close());
beforeEach(async () => {
  memory = new MemoryStorage();
  const storage = new SealedStorage(memory, await StorageKey.generate());
  alice = await makeDevice(world, { storage });
  await alice.provisioner.provision();
});

async function damage(prefix: string): Promise<string[]> {
  const names = await memory.list(prefix);
  expect(names).not.toEqual([]);
  for (const name of names) {
    const octets = (await memory.get(name))!;
    octets[octets.length - 1]! ^= 1;
    await memory.put(name, octets);
  }
  return names;
}

const reported = ({ events }: Device) =>
  events.flatMap((event) => (event.type === "record-damaged" ? event.name : []));

describe("a damaged record of a client", () => {
  it.each(["key-set/", "certificate/", "state/", "listed/"])(
    "in %s is reported and fetched again",
    async (prefix) => {
      const names = await damage(prefix);
      await alice.provisioner.provision();
      expect(reported(alice)).toEqual(names);
      expect(await memory.list(prefix)).toEqual(names);
      expect(await periodsOf(alice)).toEqual([PERIOD, PERIOD + 1]);
      const kmsUris = (await alice.store.certificates()).map(({ certificate }) => certificate.kmsUri);
      expect(kmsUris.sort()).toEqual([AWAY_KMS, KMS_URI]);
    },
  );

  it("does not keep a client from starting", async () => {
    await damage("state/");
    await alice.provisioner.start();
    await alice.provisioner.stop();
    expect(reported(alice)).toHaveLength(1);
  });

  it("that holds a TrK or an InK stays an error, and is kept", async () => {
    const user = "sip:damaged@example.org";
    const keys = await makeTransportKeys(world, ["TrK", "InK"], user);
    const device = await makeDevice(world, { userUri: user, protection: keys, storage: alice.storage });
    await makeTransportKeys(world, ["TrK", "InK"], user);
    await device.provisioner.provision();
    const names = await damage("transport-key/");
    for (let i = 0; i < 2; i++) expect(await codeOf(device.provisioner.provision())).toBe("STORAGE_SEAL");
    expect(await memory.list("transport-key/")).toEqual(names);
  });

  it("is not assumed when the storage key is wrong: nothing is deleted", async () => {
    const names = await memory.list("");
    const storage = new SealedStorage(memory, await StorageKey.generate());
    const mistaken = await makeDevice(world, { userUri: ALICE, storage });
    expect(await codeOf(mistaken.provisioner.provision())).toBe("STORAGE_SEAL");
    expect(await codeOf(new KeyStore(storage).dropDamaged())).toBe("STORAGE_SEAL");
    expect(await memory.list("")).toEqual(names);
  });
});
