/** The KMS Public Authentication Key (RFC 6507 2): verification of signatures, and the check of issued keys. */
import { concat, equal, toHex } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes, requireObject } from "../../base/errors.ts";
import type { Core } from "../core/core.ts";
import {
  badPoint,
  coordinates,
  hashOfKey,
  hashOfMessage,
  isScalar,
  SCALAR,
  SIGNATURE_BYTES,
  SSK_BYTES,
  XY,
} from "./encoding.ts";
import { generatorTable, kpakTable, kpakTableName, multiplyBase, pointTable } from "./tables.ts";

/** A signer seen this often gets a table of its own; the table costs about as much as five verifications save. */
const TABLE_AFTER = 3;
/** Signers with kept state; the one unused for longest is dropped. */
const KNOWN_SIGNERS = 64;

/** The values that are kept of a signer, all of them public. */
interface KnownSigner {
  readonly hs: Uint8Array;
  seen: number;
  table: number;
}

export class EccsiPublicKey {
  /** For the bindings only. */
  readonly core: Core;
  readonly #kpak: Uint8Array;
  readonly #table: number;
  readonly #signers = new Map<string, KnownSigner>();
  #destroyed = false;

  private constructor(core: Core, kpak: Uint8Array, table: number) {
    this.core = core;
    this.#kpak = kpak;
    this.#table = table;
  }

  /** Checks and prepares a KPAK of 65 octets. Throws a validation error `BAD_POINT` for a point off the curve. */
  static load(core: Core, kpak: Uint8Array): EccsiPublicKey {
    requireObject(core, "core", "a Core", "borrow");
    requireBytes(kpak, "KPAK");
    core.requireAlive();
    const xy = coordinates(kpak);
    const table = xy && kpakTable(core, xy);
    if (table === undefined) throw badPoint("KPAK");
    return new EccsiPublicKey(core, new Uint8Array(kpak), table);
  }

  /** KPAK as it was given, 65 octets. */
  get kpak(): Uint8Array {
    return this.#kpak.slice();
  }

  /**
   * Returns whether `signature` (129 octets r || s || PVT) is that of `id` on `message` (RFC 6507 5.2.2). False for
   * anything else, malformed signatures among them.
   */
  verify(id: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    requireBytes(id, "identifier");
    requireBytes(message, "message");
    requireBytes(signature, "signature");
    this.#requireAlive();
    if (signature.length !== SIGNATURE_BYTES) return false;
    const r = signature.subarray(0, SCALAR);
    const s = signature.subarray(SCALAR, 2 * SCALAR);
    const pvt = signature.subarray(2 * SCALAR);
    const xy = coordinates(pvt);
    if (xy === undefined) return false;
    const name = `${toHex(pvt)}:${toHex(id)}`;
    const known = this.#signers.get(name);
    const hs = known?.hs ?? hashOfKey(this.#kpak, id, pvt);
    const input = concat(hashOfMessage(hs, r, message), r, s, hs, xy);
    const result = this.#verify(input, known?.table ?? 0);
    if (result === 1) this.#remember(name, known, hs, xy);
    return result === 1;
  }

  #verify(input: Uint8Array, tableY: number): number {
    const { core } = this;
    const tableG = generatorTable(core);
    const other = tableY === 0 ? this.#table : tableY;
    const sizes = [input.length, core.wasm.eccsiVerifyScratch(tableG, other)];
    const result = core.borrow(sizes, (at, scratch) => {
      core.write(at, input);
      return core.wasm.eccsiVerify(tableG, this.#table, tableY, at, scratch);
    });
    if (result !== 2) return result;
    // Somebody made up a PVT that meets an exceptional case of the addition: take the complete way.
    const y = this.#signerPoint(input.subarray(4 * SCALAR), input.subarray(3 * SCALAR, 4 * SCALAR));
    const table = y === undefined ? undefined : pointTable(core, y);
    if (table === undefined) return 0;
    try {
      return this.#verify(input, table);
    } finally {
      core.arena.release(table);
    }
  }

  /** Only after a good signature, so that nobody fills the memory with made-up signers. */
  #remember(name: string, known: KnownSigner | undefined, hs: Uint8Array, pvt: Uint8Array): void {
    const signer = known ?? { hs, seen: 0, table: 0 };
    signer.seen++;
    this.#signers.delete(name);
    this.#signers.set(name, signer);
    if (signer.table === 0 && signer.seen >= TABLE_AFTER) {
      const y = this.#signerPoint(pvt, hs);
      signer.table = (y === undefined ? undefined : pointTable(this.core, y)) ?? 0;
    }
    if (this.#signers.size > KNOWN_SIGNERS) {
      const [oldest, dropped] = this.#signers.entries().next().value!;
      if (dropped.table !== 0) this.core.arena.release(dropped.table);
      this.#signers.delete(oldest);
    }
  }

  /** Y = [HS]PVT + KPAK; undefined when PVT is off the curve or Y is the neutral element. */
  #signerPoint(pvt: Uint8Array, hs: Uint8Array): Uint8Array | undefined {
    const { core } = this;
    const sizes = [XY, XY, XY, SCALAR, core.wasm.eccsiSignerPointScratch()];
    return core.borrow(sizes, (out, pvtAt, kpakAt, hsAt, scratch) => {
      core.write(pvtAt, pvt);
      core.write(kpakAt, this.#kpak.subarray(1));
      core.write(hsAt, hs);
      const status = core.wasm.eccsiSignerPoint(out, pvtAt, kpakAt, hsAt, scratch);
      return status === 0 ? core.read(out, XY) : undefined;
    });
  }

  /**
   * The check of RFC 6507 5.1.2 on a user's keys: KPAK = [SSK]G - [HS]PVT. False when it fails, and for keys that
   * are no keys.
   */
  validateSsk(id: Uint8Array, ssk: Uint8Array, pvt: Uint8Array): boolean {
    requireBytes(id, "identifier");
    requireBytes(ssk, "SSK");
    requireBytes(pvt, "PVT");
    this.#requireAlive();
    const xy = coordinates(pvt);
    if (ssk.length !== SSK_BYTES || xy === undefined || !isScalar(ssk)) return false;
    const y = this.#signerPoint(xy, hashOfKey(this.#kpak, id, pvt));
    const mine = y === undefined ? undefined : multiplyBase(this.core, ssk);
    return y !== undefined && mine !== undefined && equal(mine, y);
  }

  #requireAlive(): void {
    if (this.#destroyed) throw new MikeySakkeError("usage", "DESTROYED", "the KPAK was destroyed");
    this.core.requireAlive();
  }

  /** Name of the table of KPAK in the core. For the bindings only. */
  get tableName(): string {
    return kpakTableName(this.#kpak.subarray(1));
  }

  /** Frees the tables: that of KPAK unless another key of the same KMS is in use, and those of signers. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.core.tables.release(this.tableName);
    for (const { table } of this.#signers.values()) if (table !== 0) this.core.arena.release(table);
    this.#signers.clear();
  }
}
