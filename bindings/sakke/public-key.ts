/**
 * The public key of a KMS (RFC 6508 2.2): encapsulation, and the check of keys that it issued. Arithmetic and
 * everything that depends on secrets is in the core; here are hashes, lengths and the life of tables.
 */
import { concat, wipe } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes, requireList, requireObject } from "../../base/errors.ts";
import type { Core } from "../core/core.ts";
import {
  badPoint,
  coordinates,
  ELEMENT,
  paddedIdentifier,
  SAKKE_POINT_BYTES,
  SED_BYTES,
  SSV_BYTES,
  UNCOMPRESSED,
  XY,
} from "./encoding.ts";
import { RangeHash } from "./range-hash.ts";
import {
  acquireCheckLines,
  type CheckLines,
  generatorTables,
  pointTable,
  pointTableName,
  releaseCheckLines,
} from "./tables.ts";

/** Receivers handed to the core in one call; bounds the memory for operands and results. */
const BATCH = 1024;

/** The KMS Public Key Z_T, prepared for senders. */
export class SakkePublicKey {
  /** For the bindings only. */
  readonly core: Core;
  /** For the bindings only. */
  readonly hash = new RangeHash();
  readonly #table: number;
  readonly #zt: Uint8Array;
  /** Made at the first check of a receiver key. */
  #lines: CheckLines | undefined;
  #destroyed = false;

  private constructor(core: Core, zt: Uint8Array, table: number) {
    this.core = core;
    this.#table = table;
    this.#zt = zt;
  }

  /**
   * Checks and prepares a KMS Public Key of 257 octets. Throws a validation error `BAD_POINT` for a point off the
   * curve, or of another order than q.
   */
  static load(core: Core, zt: Uint8Array): SakkePublicKey {
    requireObject(core, "core", "a Core", "borrow");
    requireBytes(zt, "KMS Public Key");
    core.requireAlive();
    generatorTables(core);
    const xy = coordinates(zt);
    const table = xy && pointTable(core, xy);
    if (table === undefined) throw badPoint("KMS Public Key");
    return new SakkePublicKey(core, new Uint8Array(zt), table);
  }

  /** Z_T as it was given, 257 octets. */
  get zt(): Uint8Array {
    return this.#zt.slice();
  }

  /** Encapsulates a 16-octet SSV to one identifier (RFC 6508 6.2.1). Returns 273 octets R || H. */
  encapsulate(id: Uint8Array, ssv: Uint8Array): Uint8Array {
    return this.encapsulateBatch([id], ssv)[0]!;
  }

  /** Encapsulates one SSV to many identifiers; the inversions are shared, so this costs less than one by one. */
  encapsulateBatch(ids: readonly Uint8Array[], ssv: Uint8Array): Uint8Array[] {
    requireList(ids, "identifiers");
    requireBytes(ssv, "SSV", SSV_BYTES);
    this.#requireAlive();
    const padded = ids.map(paddedIdentifier);
    const out: Uint8Array[] = [];
    for (let at = 0; at < ids.length; at += BATCH) {
      out.push(...this.#encapsulate(ids.slice(at, at + BATCH), padded.slice(at, at + BATCH), ssv));
    }
    return out;
  }

  #encapsulate(ids: readonly Uint8Array[], padded: readonly Uint8Array[], ssv: Uint8Array): Uint8Array[] {
    const { core, table } = this;
    const { wasm } = core;
    const { points, powers } = generatorTables(core);
    const n = ids.length;
    const input = new Uint8Array(n * 2 * ELEMENT);
    padded.forEach((id, i) => {
      const message = concat(ssv, ids[i]!);
      const r = this.hash.scalar(message);
      input.set(r, i * 2 * ELEMENT);
      input.set(id, i * 2 * ELEMENT + ELEMENT);
      wipe(r, message);
    });
    const sizes = [input.length, n * 3 * ELEMENT, n, wasm.sakkeEncapsulateScratch(points, table, n)];
    const results = core.borrow(sizes, (operands, results, status, scratch) => {
      core.write(operands, input);
      wasm.sakkeEncapsulate(points, table, powers, n, operands, results, status, scratch);
      if (core.read(status, n).some((s) => s !== 0)) {
        const text = "an identifier is the negative of the KMS Master Secret";
        throw new MikeySakkeError("crypto", "NO_ENCAPSULATION", text);
      }
      return core.read(results, n * 3 * ELEMENT);
    });
    const out = ids.map((_, i) => {
      const one = results.subarray(i * 3 * ELEMENT, (i + 1) * 3 * ELEMENT);
      const sed = new Uint8Array(SED_BYTES);
      sed[0] = UNCOMPRESSED;
      sed.set(one.subarray(0, XY), 1);
      const mask = this.hash.mask(one.subarray(XY));
      for (let k = 0; k < SSV_BYTES; k++) sed[SAKKE_POINT_BYTES + k] = ssv[k]! ^ mask[k]!;
      wipe(mask);
      return sed;
    });
    wipe(input, results);
    return out;
  }

  /**
   * The check of RFC 6508 6.1.2 on a Receiver Secret Key of 257 octets. False when it fails, for a key that is not a
   * point of order q, and for the one identifier that has no keys under this KMS.
   */
  validateRsk(id: Uint8Array, rsk: Uint8Array): boolean {
    requireBytes(rsk, "RSK");
    const identifier = paddedIdentifier(id);
    const key = coordinates(rsk);
    if (key === undefined) return false;
    this.#requireAlive();
    const { core } = this;
    this.#lines ??= acquireCheckLines(core, this.#zt.subarray(1));
    const { generator, kms } = this.#lines;
    return core.borrow([ELEMENT, XY, 2 * XY], (b, k, scratch) => {
      core.write(b, identifier);
      core.write(k, key);
      return core.wasm.sakkeCheckKey(generator, kms, b, k, scratch) === 0;
    });
  }

  /** [b]P + Z_T of an identifier, 256 octets; undefined where b is -z, which has no keys. For the bindings only. */
  identityPoint(id: Uint8Array): Uint8Array | undefined {
    const one = new Uint8Array(ELEMENT);
    one[ELEMENT - 1] = 1;
    return this.point(concat(one, paddedIdentifier(id)));
  }

  /** [r b]P + [r]Z_T for 128 octets of r and 128 of b; undefined for the neutral element. For the bindings only. */
  point(operands: Uint8Array): Uint8Array | undefined {
    const { core, table } = this;
    const { points } = generatorTables(core);
    const sizes = [XY, 2 * ELEMENT, core.wasm.sakkePointScratch(points, table)];
    return core.borrow(sizes, (out, input, scratch) => {
      core.write(input, operands);
      const infinity = core.wasm.sakkePoint(out, points, table, 0, input, scratch) !== 0;
      return infinity ? undefined : core.read(out, XY);
    });
  }

  /** Address of the table of Z_T. For the bindings only. */
  get table(): number {
    this.#requireAlive();
    return this.#table;
  }

  #requireAlive(): void {
    if (this.#destroyed) throw new MikeySakkeError("usage", "DESTROYED", "the KMS Public Key was destroyed");
    this.core.requireAlive();
  }

  /** Name of that table in the core. For the bindings only. */
  get tableName(): string {
    return pointTableName(this.#zt.subarray(1));
  }

  /** Frees the table, unless another key of the same KMS is in use. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.core.tables.release(this.tableName);
    if (this.#lines !== undefined) releaseCheckLines(this.core, this.#zt.subarray(1));
  }
}
