/** The KMS Public Authentication Key (RFC 6507 2): verification of signatures, and the check of issued keys. */
import { concat, equal, toHex } from "../../base/bytes.ts";
import {
  MikeySakkeError,
  requireBytes,
  requireList,
  requireObject,
  requireOptions,
} from "../../base/errors.ts";
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
/** Fewer signatures than this are verified sooner one by one than as a batch, whose inversions they would share. */
const SMALLEST_BATCH = 4;
/** Octets of what the core verifies. */
const VERIFICATION_BYTES = 4 * SCALAR + XY;
/** Result of the core for a PVT or a multiplier that needs another way. */
const EXCEPTIONAL = 2;

/** A message with its signature, as `verifyBatch` takes them. */
export interface SignedMessage {
  /** The signer's identifier. */
  readonly id: Uint8Array;
  readonly message: Uint8Array;
  /** 129 octets r || s || PVT. */
  readonly signature: Uint8Array;
}

/** A signature whose form is right, ready for the core. */
interface Verification {
  /** The signer's name among the known ones. */
  readonly name: string;
  /** HE, r, s, HS of 32 octets each, and PVT as x || y. */
  readonly input: Uint8Array;
}

/** The values that are kept of a signer, all of them public. */
interface KnownSigner {
  readonly hs: Uint8Array;
  seen: number;
  table: number;
}

function requireSigned({ id, message, signature }: SignedMessage): void {
  requireBytes(id, "identifier");
  requireBytes(message, "message");
  requireBytes(signature, "signature");
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
    const signed = { id, message, signature };
    requireSigned(signed);
    this.#requireAlive();
    const verification = this.#prepare(signed);
    return verification !== undefined && this.#verifyOne(verification);
  }

  /**
   * The results of `verify` for many signatures, in their order. Signatures of signers who are new to this key share
   * inversions and fill the lanes of the core, so they take about half the time that they take one by one.
   */
  verifyBatch(list: readonly SignedMessage[]): boolean[] {
    requireList(list, "signed messages");
    for (const signed of list) {
      requireOptions(signed, "signed message");
      requireSigned(signed);
    }
    this.#requireAlive();
    const verifications = list.map((signed) => this.#prepare(signed));
    const strangers = verifications.filter((v) => v !== undefined).filter((v) => this.#tableOf(v.name) === 0);
    const results = strangers.length < SMALLEST_BATCH ? undefined : this.#verifyMany(strangers);
    return verifications.map((verification) => {
      if (verification === undefined) return false;
      const result = results?.get(verification) ?? EXCEPTIONAL;
      return result === EXCEPTIONAL ? this.#verifyOne(verification) : this.#judge(verification, result);
    });
  }

  /** Address of the table of a known signer; 0 without one. */
  #tableOf(name: string): number {
    return this.#signers.get(name)?.table ?? 0;
  }

  /** Undefined for a signature that is malformed. */
  #prepare({ id, message, signature }: SignedMessage): Verification | undefined {
    if (signature.length !== SIGNATURE_BYTES) return undefined;
    const r = signature.subarray(0, SCALAR);
    const s = signature.subarray(SCALAR, 2 * SCALAR);
    const pvt = signature.subarray(2 * SCALAR);
    const xy = coordinates(pvt);
    if (xy === undefined) return undefined;
    const name = `${toHex(pvt)}:${toHex(id)}`;
    const hs = this.#signers.get(name)?.hs ?? hashOfKey(this.#kpak, id, pvt);
    return { name, input: concat(hashOfMessage(hs, r, message), r, s, hs, xy) };
  }

  #verifyOne(verification: Verification): boolean {
    return this.#judge(verification, this.#verify(verification.input, this.#tableOf(verification.name)));
  }

  /** Results of the core for signatures whose signers have no table. */
  #verifyMany(list: readonly Verification[]): Map<Verification, number> {
    const { core } = this;
    const tableG = generatorTable(core);
    const n = list.length;
    const sizes = [n * VERIFICATION_BYTES, n, core.wasm.eccsiVerifyBatchScratch(tableG, this.#table, n)];
    const results = core.borrow(sizes, (at, status, scratch) => {
      list.forEach(({ input }, i) => {
        core.write(at + i * VERIFICATION_BYTES, input);
      });
      core.wasm.eccsiVerifyBatch(tableG, this.#table, n, at, status, scratch);
      return core.read(status, n);
    });
    return new Map(list.map((verification, i) => [verification, results[i]!]));
  }

  #judge({ name, input }: Verification, result: number): boolean {
    if (result !== 1) return false;
    const hs = input.slice(3 * SCALAR, 4 * SCALAR);
    this.#remember(name, hs, input.subarray(4 * SCALAR));
    return true;
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
    if (result !== EXCEPTIONAL) return result;
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
  #remember(name: string, hs: Uint8Array, pvt: Uint8Array): void {
    const signer = this.#signers.get(name) ?? { hs, seen: 0, table: 0 };
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
