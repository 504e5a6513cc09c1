/** Destroyed objects leave nothing in memory and refuse every use. */
import { describe, expect, it } from "vitest";
import { load } from "../../../bindings/core/core.ts";
import { EccsiPublicKey, EccsiSigner } from "../../../bindings/eccsi/index.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { SakkePublicKey, SakkeReceiver } from "../../../bindings/sakke/index.ts";
import { errorCode, flip } from "../../support/error-code.ts";
import { holds, isClear, MemoryWatch } from "../../support/memory.ts";
import { seededRandom } from "../../support/random.ts";
import { BUILDS } from "../../support/raw-core.ts";
import {
  type Call,
  ID,
  keys,
  kpak,
  MESSAGE,
  publicPlace,
  SECRETS,
  SSV,
  sed,
  signature,
  signer,
  zt,
} from "./calls.ts";

const random = seededRandom("destroying");

describe.each(BUILDS)("live keys in the %s build", (build) => {
  it("are in memory only as prepared tables, and not after destroy()", async () => {
    const place = await publicPlace(build);
    const watch = new MemoryWatch(place.core);
    const used = place.core.usedBytes;
    const receivers = [0, 1, 2].map(() => SakkeReceiver.load(place.kms, ID, keys.rsk, { prepare: true }));
    expect(watch.changes()).not.toEqual([]);
    const live = new MemoryWatch(place.core);
    for (const receiver of receivers) {
      expect(receiver.decapsulate(sed)).toEqual(SSV);
      expect(errorCode(() => receiver.decapsulate(flip(sed, 8 * 260)))).toBe(
        "verification/SAKKE_CHECK_FAILED",
      );
      expect(live.changes()).toEqual([]);
    }
    for (const secret of [SSV, keys.rsk.subarray(1, 129), keys.rsk.subarray(129), keys.ssk, SECRETS.z])
      expect(holds(place.core, secret)).toBe(false);
    // Out of order, so that blocks are merged and used again.
    receivers[1]!.destroy();
    const again = SakkeReceiver.load(place.kms, ID, keys.rsk, { prepare: true });
    for (const receiver of [receivers[0]!, again, receivers[2]!]) receiver.destroy();
    expect(watch.changes()).toEqual([]);
    expect(place.core.usedBytes).toBe(used);
  });

  it("leave nothing in memory when all keys and public tables are destroyed", async () => {
    const core = await load({ build });
    SakkePublicKey.load(core, zt).destroy();
    const first = EccsiPublicKey.load(core, kpak);
    expect(first.verify(ID, MESSAGE, signature)).toBe(true);
    first.destroy();
    const watch = new MemoryWatch(core);
    const kms = SakkePublicKey.load(core, zt);
    const verifier = EccsiPublicKey.load(core, kpak);
    // A known signer has a table of its own.
    for (let time = 0; time < 6; time++) expect(verifier.verify(ID, MESSAGE, signature)).toBe(true);
    expect(kms.validateRsk(ID, keys.rsk)).toBe(true);
    kms.destroy();
    verifier.destroy();
    expect(watch.changes()).toEqual([]);
  });

  it("are gone with the core: all of its memory is zero after destroy()", async () => {
    const { core, kms, verifier } = await publicPlace(build);
    const receiver = SakkeReceiver.load(kms, ID, keys.rsk, { prepare: true });
    const master = KmsMaster.load(core, SECRETS);
    const signing = signer(verifier);
    expect(isClear(core)).toBe(false);
    core.destroy();
    expect(isClear(core)).toBe(true);
    const uses: Call[] = [
      () => kms.encapsulate(ID, SSV),
      () => kms.validateRsk(ID, keys.rsk),
      () => receiver.decapsulate(sed),
      () => SakkeReceiver.load(kms, ID, keys.rsk),
      () => SakkeReceiver.load(kms, ID, keys.rsk, { prepare: true }),
      () => verifier.verify(ID, MESSAGE, signature),
      () => signing.sign(MESSAGE, random),
      () => master.issue(ID),
      () => SakkePublicKey.load(core, zt),
      () => EccsiPublicKey.load(core, kpak),
      () => KmsMaster.load(core, SECRETS),
    ];
    for (const use of uses) expect(errorCode(() => use({ core, kms, verifier }))).toBe("usage/DESTROYED");
    for (const object of [receiver, signing, master, kms, verifier, core]) object.destroy();
    expect(isClear(core)).toBe(true);
  });
});

describe("objects after destroy()", () => {
  it("refuse every use, and may be destroyed again", async () => {
    const { core, kms, verifier } = await publicPlace("fma");
    // The same KMS, still in use: its tables must stay.
    const keptKms = SakkePublicKey.load(core, zt);
    const keptVerifier = EccsiPublicKey.load(core, kpak);
    const master = KmsMaster.load(core, SECRETS);
    const signing = signer(verifier);
    const receivers = [false, true].map((prepare) => SakkeReceiver.load(kms, ID, keys.rsk, { prepare }));
    for (const object of [master, signing, ...receivers, kms, verifier]) {
      object.destroy();
      object.destroy();
    }
    const uses: (() => unknown)[] = [
      () => master.issue(ID),
      () => master.exportSecrets(),
      () => signing.sign(MESSAGE, random),
      () => signing.signBatch([], random),
      ...receivers.map((receiver) => () => receiver.decapsulate(sed)),
      () => kms.encapsulate(ID, SSV),
      () => kms.encapsulateBatch([], SSV),
      () => kms.validateRsk(ID, keys.rsk),
      () => SakkeReceiver.load(kms, ID, keys.rsk),
      () => verifier.verify(ID, MESSAGE, signature),
      () => verifier.validateSsk(ID, keys.ssk, keys.pvt),
      () => EccsiSigner.load(verifier, ID, keys.ssk, keys.pvt),
    ];
    expect(uses.map(errorCode)).toEqual(uses.map(() => "usage/DESTROYED"));
    expect(keptKms.encapsulate(ID, SSV)).toEqual(sed);
    expect(keptVerifier.verify(ID, MESSAGE, signature)).toBe(true);
  });

  it("have cleared the octets that a random source gave them", async () => {
    const core = await load();
    const given: Uint8Array[] = [];
    const source = seededRandom("given");
    const recording = (n: number) => {
      const octets = source(n);
      given.push(octets);
      return octets;
    };
    const master = KmsMaster.generate(core, recording);
    expect(given.length).toBeGreaterThan(1);
    master.destroy();
    expect(given.flatMap((octets) => [...octets]).filter((octet) => octet !== 0)).toEqual([]);

    given.length = 0;
    const verifier = EccsiPublicKey.load(core, kpak);
    signer(verifier).signBatch([MESSAGE, MESSAGE], recording);
    expect(given).toHaveLength(2);
    expect(given.flatMap((octets) => [...octets]).filter((octet) => octet !== 0)).toEqual([]);
  });

  it("keep no reference to what they were given", async () => {
    const { kms, verifier } = await publicPlace("fma");
    const [rsk, ssk, pvt, id] = [keys.rsk, keys.ssk, keys.pvt, ID].map((octets) => octets.slice()) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const receivers = [false, true].map((prepare) => SakkeReceiver.load(kms, id, rsk, { prepare }));
    const signing = EccsiSigner.load(verifier, id, ssk, pvt);
    for (const given of [rsk, ssk, pvt, id]) given.fill(0);
    for (const receiver of receivers) expect(receiver.decapsulate(sed)).toEqual(SSV);
    expect(verifier.verify(ID, MESSAGE, signing.sign(MESSAGE, random))).toBe(true);
  });
});
