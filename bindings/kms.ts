/**
 * The KMS side: master secrets and the issue of user keys. A sub-path of its own (`mikey-sakke/kms`), so that a
 * client's bundle holds nothing of it.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8, wipe } from "../base/bytes.ts";
import {
  MikeySakkeError,
  requireBytes,
  requireFunction,
  requireList,
  requireObject,
  requireOptions,
} from "../base/errors.ts";
import type { RandomSource } from "../base/random.ts";
import type { Core } from "./core/core.ts";
import { encoded as encodedP256, hashOfKey, isScalar, randomScalar, SCALAR } from "./eccsi/encoding.ts";
import { multiplyBase } from "./eccsi/tables.ts";
import { ELEMENT, encoded, paddedIdentifier, XY } from "./sakke/encoding.ts";
import { generatorTables } from "./sakke/tables.ts";

/** Users handed to the core in one call. */
const BATCH = 1024;

/** The secrets of a KMS: z of SAKKE, 128 octets below q, and KSAK of ECCSI, 32 octets below the order of P-256. */
export interface MasterSecrets {
  readonly z: Uint8Array;
  readonly ksak: Uint8Array;
}

/** The keys of one identifier: RSK of 257 octets, SSK of 32, PVT of 65. */
export interface UserKeys {
  readonly rsk: Uint8Array;
  readonly ssk: Uint8Array;
  readonly pvt: Uint8Array;
}

export class KmsMaster {
  /** KMS Public Key Z_T = [z]P, 257 octets. */
  readonly zt: Uint8Array;
  /** KMS Public Authentication Key = [KSAK]G, 65 octets. */
  readonly kpak: Uint8Array;
  readonly #core: Core;
  readonly #z: Uint8Array;
  readonly #ksak: Uint8Array;
  /** Key of the PRF that makes v, so that one identifier never gets two SSKs, on any number of KMS processes. */
  readonly #prfKey: Uint8Array;
  #destroyed = false;

  private constructor(core: Core, z: Uint8Array, ksak: Uint8Array) {
    this.#core = core;
    this.#z = z;
    this.#ksak = ksak;
    const master = concat(z, ksak);
    this.#prfKey = hmac(sha256, master, utf8("mikey-sakke KMS ECCSI v"));
    wipe(master);
    this.zt = encoded(publicPoint(core, z));
    this.kpak = encodedP256(multiplyBase(core, ksak)!);
  }

  /** Draws new secrets: z and KSAK uniform mod the group orders (RFC 6508 6.1.1, RFC 6507 5.1.1). */
  static generate(core: Core, random: RandomSource): KmsMaster {
    requireObject(core, "core", "a Core", "borrow");
    requireFunction(random, "random source");
    // q has 1022 bits; 128 random octets reduced mod q would favour small values, so draw until below 2^1022 and q.
    for (let attempt = 0; attempt < 64; attempt++) {
      const z = random(ELEMENT);
      requireBytes(z, "random octets", ELEMENT);
      z[0]! &= 0x3f;
      if (isBelowOrder(core, z)) return new KmsMaster(core, z, randomScalar(random));
      wipe(z);
    }
    throw new MikeySakkeError("usage", "BAD_RANDOM", "the random source does not give usable octets");
  }

  /** Takes stored secrets. Throws a validation error `BAD_MASTER_SECRET` for values out of range. */
  static load(core: Core, secrets: MasterSecrets): KmsMaster {
    requireObject(core, "core", "a Core", "borrow");
    requireOptions(secrets, "secrets");
    requireBytes(secrets.z, "z", ELEMENT);
    requireBytes(secrets.ksak, "KSAK", SCALAR);
    if (!isBelowOrder(core, secrets.z) || !isScalar(secrets.ksak)) {
      throw new MikeySakkeError("validation", "BAD_MASTER_SECRET", "z or KSAK is out of range");
    }
    return new KmsMaster(core, new Uint8Array(secrets.z), new Uint8Array(secrets.ksak));
  }

  /** Copies of the secrets, for storage under protection. */
  exportSecrets(): { z: Uint8Array<ArrayBuffer>; ksak: Uint8Array<ArrayBuffer> } {
    this.#requireAlive();
    return { z: new Uint8Array(this.#z), ksak: new Uint8Array(this.#ksak) };
  }

  /** The keys of one identifier; the same each time. */
  issue(id: Uint8Array): UserKeys {
    return this.issueBatch([id])[0]!;
  }

  /** The keys of many identifiers (RFC 6508 6.1.1, RFC 6507 5.1.1). */
  issueBatch(ids: readonly Uint8Array[]): UserKeys[] {
    requireList(ids, "identifiers");
    this.#requireAlive();
    this.#core.requireAlive();
    const out: UserKeys[] = [];
    for (let at = 0; at < ids.length; at += BATCH) {
      const some = ids.slice(at, at + BATCH);
      const rsks = this.#receiverKeys(some);
      this.#signingKeys(some).forEach((keys, i) => {
        out.push({ rsk: rsks[i]!, ...keys });
      });
    }
    return out;
  }

  #receiverKeys(ids: readonly Uint8Array[]): Uint8Array[] {
    const core = this.#core;
    const { points } = generatorTables(core);
    const n = ids.length;
    const identifiers = concat(...ids.map(paddedIdentifier));
    const sizes = [identifiers.length, ELEMENT, n * XY, n, core.wasm.sakkeIssueScratch(points, n)];
    return core.borrow(sizes, (input, z, out, status, scratch) => {
      core.write(input, identifiers);
      core.write(z, this.#z);
      core.wasm.sakkeIssue(points, n, input, z, out, status, scratch);
      if (core.read(status, n).some((s) => s !== 0)) {
        const text = "an identifier is the negative of the KMS Master Secret";
        throw new MikeySakkeError("crypto", "NO_KEY", text);
      }
      return ids.map((_, i) => encoded(core.read(out + i * XY, XY)));
    });
  }

  /** v by a PRF of the identifier and a counter, which moves on in the (never seen) case that v cannot be used. */
  #signingKeys(ids: readonly Uint8Array[], counter = 0): { ssk: Uint8Array; pvt: Uint8Array }[] {
    const core = this.#core;
    const n = ids.length;
    const v = new Uint8Array(n * SCALAR);
    ids.forEach((id, i) => {
      const one = this.#ephemeral(id, counter);
      v.set(one, i * SCALAR);
      wipe(one);
    });
    const points = multiplyBase(core, v)!;
    const pvts = ids.map((_, i) => encodedP256(points.subarray(i * 2 * SCALAR, (i + 1) * 2 * SCALAR)));
    const input = concat(
      ...ids.flatMap((id, i) => [
        hashOfKey(this.kpak, id, pvts[i]!),
        v.subarray(i * SCALAR, (i + 1) * SCALAR),
      ]),
    );
    const { ssks, status } = core.borrow(
      [SCALAR, input.length, n * SCALAR, n],
      (ksak, operands, out, bad) => {
        core.write(ksak, this.#ksak);
        core.write(operands, input);
        core.wasm.eccsiIssue(n, ksak, operands, out, bad);
        return { ssks: core.read(out, n * SCALAR), status: core.read(bad, n) };
      },
    );
    wipe(v, input);
    return ids.map((id, i) =>
      status[i] === 0
        ? { ssk: ssks.slice(i * SCALAR, (i + 1) * SCALAR), pvt: pvts[i]! }
        : this.#signingKeys([id], counter + 1)[0]!,
    );
  }

  #ephemeral(id: Uint8Array, counter: number): Uint8Array {
    for (let attempt = counter * 16; ; attempt++) {
      const v = hmac(sha256, this.#prfKey, concat(Uint8Array.of(attempt & 0xff), id));
      if (isScalar(v)) return v;
    }
  }

  #requireAlive(): void {
    if (this.#destroyed) throw new MikeySakkeError("usage", "DESTROYED", "the KMS secrets were destroyed");
  }

  /** Clears the secrets. */
  destroy(): void {
    this.#destroyed = true;
    wipe(this.#z, this.#ksak, this.#prfKey);
  }
}

/** Returns whether 1 < z < q. */
function isBelowOrder(core: Core, z: Uint8Array): boolean {
  return core.borrow([ELEMENT], (at) => {
    core.write(at, z);
    return core.wasm.sakkeIsMasterSecret(at) === 1;
  });
}

/** [z]P. */
function publicPoint(core: Core, z: Uint8Array): Uint8Array {
  const { points } = generatorTables(core);
  const sizes = [XY, ELEMENT, core.wasm.sakkePointScratch(points, 0)];
  return core.borrow(sizes, (out, scalar, scratch) => {
    core.write(scalar, z);
    core.wasm.sakkeMultiplyBase(out, points, scalar, scratch);
    return core.read(out, XY);
  });
}
