/** The key of a receiver: decapsulation with the check that makes it safe (RFC 6508 6.2.2). */
import { concat, equal, wipe } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes, requireObject, requireOptions } from "../../base/errors.ts";
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
import type { SakkePublicKey } from "./public-key.ts";
import { generatorTables } from "./tables.ts";

/** Window width of the table of [b]P + Z_T: small, since it is built for each key. */
const RECEIVER_WINDOW = 5;

export interface SakkeReceiverOptions {
  /**
   * Store the lines of the RSK's Miller loop and a table of [b]P + Z_T. Costs about three unprepared decapsulations
   * and `preparedBytes` of memory, and makes each one almost four times as fast: worth it from five messages on.
   */
  prepare?: boolean;
}

interface Prepared {
  readonly lines: number;
  readonly table: number;
  readonly milliseconds: number;
}

/** The cost of preparing a key. */
export interface Preparation {
  /** Octets held in the core. */
  readonly bytes: number;
  /** Time it took, the check of the key included. */
  readonly milliseconds: number;
}

/** A Receiver Secret Key with its identifier, checked. Secret: call `destroy` when it is no longer needed. */
export class SakkeReceiver {
  readonly #kms: SakkePublicKey;
  readonly #id: Uint8Array;
  readonly #rsk: Uint8Array;
  readonly #prepared: Prepared | undefined;
  #destroyed = false;

  private constructor(kms: SakkePublicKey, id: Uint8Array, rsk: Uint8Array, prepared: Prepared | undefined) {
    this.#kms = kms;
    this.#id = new Uint8Array(id);
    this.#rsk = rsk;
    this.#prepared = prepared;
  }

  /**
   * Takes an RSK of 257 octets for `id` under a KMS. Throws a validation error `BAD_RSK` when the check of RFC 6508
   * 6.1.2 fails.
   */
  static load(
    kms: SakkePublicKey,
    id: Uint8Array,
    rsk: Uint8Array,
    options: SakkeReceiverOptions = {},
  ): SakkeReceiver {
    requireObject(kms, "KMS", "a SakkePublicKey", "validateRsk");
    requireBytes(rsk, "RSK");
    requireOptions(options, "options");
    paddedIdentifier(id);
    const xy = coordinates(rsk);
    if (xy === undefined) throw badRsk();
    if (options.prepare === true) {
      const prepared = prepare(kms, id, xy);
      return new SakkeReceiver(kms, id, new Uint8Array(xy), prepared);
    }
    if (!kms.validateRsk(id, rsk)) throw badRsk();
    return new SakkeReceiver(kms, id, new Uint8Array(xy), undefined);
  }

  /** Octets that a prepared key holds in the core besides the key itself. */
  static preparedBytes(core: Core): number {
    return core.wasm.sakkeLinesBytes() + core.wasm.sakkeTableBytes(RECEIVER_WINDOW);
  }

  /** Size and time of the preparation; undefined for a key that was not prepared. */
  get preparation(): Preparation | undefined {
    if (this.#prepared === undefined) return undefined;
    return { bytes: SakkeReceiver.preparedBytes(this.#kms.core), milliseconds: this.#prepared.milliseconds };
  }

  /**
   * Decapsulates 273 octets of SAKKE Encapsulated Data to the 16-octet SSV. Throws a validation error `BAD_SED` or
   * `BAD_POINT` for data that is no encapsulation at all, and a verification error `SAKKE_CHECK_FAILED` when R is
   * not the one that belongs to the SSV: data for another receiver, or altered.
   */
  decapsulate(sed: Uint8Array): Uint8Array {
    requireBytes(sed, "SAKKE Encapsulated Data");
    if (this.#destroyed) throw new MikeySakkeError("usage", "DESTROYED", "the receiver's key was destroyed");
    this.#kms.core.requireAlive();
    if (sed.length !== SED_BYTES || sed[0] !== UNCOMPRESSED) {
      const text = `SAKKE Encapsulated Data: expected ${SED_BYTES} octets that start with 04`;
      throw new MikeySakkeError("validation", "BAD_SED", text);
    }
    const r = sed.subarray(1, SAKKE_POINT_BYTES);
    const { w, ofOrderQ } = this.#pair(r);
    const { hash } = this.#kms;
    const ssv = hash.mask(w);
    for (let k = 0; k < SSV_BYTES; k++) ssv[k]! ^= sed[SAKKE_POINT_BYTES + k]!;
    const message = concat(ssv, this.#id);
    const scalar = hash.scalar(message);
    const genuine =
      this.#prepared === undefined
        ? this.#isPowerOf(scalar, w) && ofOrderQ
        : this.#isPoint(scalar, r, this.#prepared);
    wipe(w, message, scalar);
    if (!genuine) {
      wipe(ssv);
      const text = "the encapsulated key is not for this receiver or was altered";
      throw new MikeySakkeError("verification", "SAKKE_CHECK_FAILED", text);
    }
    return ssv;
  }

  /** <R, RSK>, and whether R is known to be of order q: the stored lines of a prepared key do not tell. */
  #pair(r: Uint8Array): { readonly w: Uint8Array; readonly ofOrderQ: boolean } {
    const { core } = this.#kms;
    const paired = core.borrow([ELEMENT, XY, XY, 2 * XY], (out, point, key, scratch) => {
      core.write(point, r);
      if (this.#prepared !== undefined) {
        const status = core.wasm.sakkePairPrepared(out, this.#prepared.lines, point, scratch);
        return status === 0 ? { w: core.read(out, ELEMENT), ofOrderQ: false } : undefined;
      }
      core.write(key, this.#rsk);
      const status = core.wasm.sakkePair(out, key, point, scratch);
      return status === 1 ? undefined : { w: core.read(out, ELEMENT), ofOrderQ: status === 0 };
    });
    if (paired === undefined) throw badPoint("SAKKE Encapsulated Data");
    return paired;
  }

  /**
   * The TEST of RFC 6508 6.2.2 step 5 for an R of order q: w = g^r. The RSK is [1/(b + z)]P and <R, RSK> determines R
   * among the points of order q, so this holds for `R = [r]([b]P + Z_T)` alone.
   */
  #isPowerOf(scalar: Uint8Array, w: Uint8Array): boolean {
    const { core } = this.#kms;
    const { powers } = generatorTables(core);
    const power = core.borrow([ELEMENT, ELEMENT, core.wasm.sakkePowerScratch()], (out, input, scratch) => {
      core.write(input, scalar);
      core.wasm.sakkePower(out, powers, input, scratch);
      return core.read(out, ELEMENT);
    });
    const same = equal(power, w);
    wipe(power);
    return same;
  }

  /** The same TEST as it is written, `R = [r]([b]P + Z_T)`, with the table of a prepared key. */
  #isPoint(scalar: Uint8Array, r: Uint8Array, { table }: Prepared): boolean {
    const { core } = this.#kms;
    const operands = concat(scalar, paddedIdentifier(this.#id));
    const sizes = [XY, 2 * ELEMENT, core.wasm.sakkePointScratch(table, 0)];
    const expected = core.borrow(sizes, (out, input, scratch) => {
      core.write(input, operands);
      return core.wasm.sakkePoint(out, 0, 0, table, input, scratch) === 0 ? core.read(out, XY) : undefined;
    });
    wipe(operands);
    const same = expected !== undefined && equal(expected, r);
    if (expected !== undefined) wipe(expected);
    return same;
  }

  /** Clears the key and everything made from it. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    wipe(this.#rsk);
    if (this.#prepared !== undefined) {
      this.#kms.core.arena.release(this.#prepared.lines);
      this.#kms.core.arena.release(this.#prepared.table);
    }
  }
}

/** Stores lines and table of a key; the check of the key runs on the stored lines, which is the cheaper way. */
function prepare(kms: SakkePublicKey, id: Uint8Array, key: Uint8Array): Prepared {
  const started = performance.now();
  const { core } = kms;
  const { wasm, arena } = core;
  const own = kms.identityPoint(id);
  if (own === undefined) throw badRsk();
  const made: number[] = [];
  try {
    const lines = arena.alloc(wasm.sakkeLinesBytes());
    made.push(lines);
    const genuine = core.borrow([XY, XY, ELEMENT, wasm.sakkeLinesScratch()], (rsk, point, w, scratch) => {
      core.write(rsk, key);
      core.write(point, own);
      return (
        wasm.sakkeLines(lines, rsk, scratch) === 0 &&
        wasm.sakkePairPrepared(w, lines, point, scratch) === 0 &&
        wasm.sakkeIsGenerator(w) === 1
      );
    });
    if (!genuine) throw badRsk();
    const table = arena.alloc(wasm.sakkeTableBytes(RECEIVER_WINDOW));
    made.push(table);
    core.borrow([XY, wasm.sakkeTableScratch(RECEIVER_WINDOW)], (point, scratch) => {
      core.write(point, own);
      wasm.sakkeTable(table, RECEIVER_WINDOW, point, scratch);
    });
    return { lines, table, milliseconds: performance.now() - started };
  } catch (error) {
    // The lines are as secret as the key.
    for (const block of made) arena.release(block);
    throw error;
  }
}

function badRsk(): MikeySakkeError {
  const text = "RSK: it does not belong to this identifier and KMS (RFC 6508 6.1.2)";
  return new MikeySakkeError("validation", "BAD_RSK", text);
}
