/**
 * Envelope encryption: values are sealed under data keys that are in the database, wrapped under the store key, which
 * is not. AES-256-GCM with random nonces; the label (which row, which column) goes in as additional data, so that a
 * value put into another row does not open.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { concat, utf8, wipe } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { Database, Sql } from "./sql.ts";

/** Octets of the store key, which encrypts the data keys. */
export const KEK_BYTES = 32;
const DATA_KEY_BYTES = 32;
const NONCE = 12;
const TAG = 16;
/** First octet of a sealed value, then the number of the data key in four. */
const VERSION = 1;
const HEADER = 5;

export class Envelope {
  readonly #db: Database;
  readonly #random: RandomSource;
  readonly #keys: Map<number, Uint8Array>;
  /** Seals what is new. */
  #current: number;

  private constructor(db: Database, random: RandomSource, keys: Map<number, Uint8Array>) {
    this.#db = db;
    this.#random = random;
    this.#keys = keys;
    this.#current = Math.max(...keys.keys());
  }

  /** Makes the first data key in an empty database. Usage error WRONG_STORE_KEY. The store key is not kept. */
  static async open(db: Database, kek: Uint8Array, random: RandomSource = systemRandom): Promise<Envelope> {
    requireBytes(kek, "store key", KEK_BYTES);
    const keys = await db.transaction(async (sql) => {
      const rows = await lockedRows(sql);
      if (rows.length > 0) return new Map(rows.map(({ id, wrapped }) => [id, unwrap(kek, id, wrapped)]));
      const key = random(DATA_KEY_BYTES);
      await insert(sql, [{ id: 1, wrapped: wrap(kek, 1, key, random) }]);
      return new Map([[1, key]]);
    });
    return new Envelope(db, random, keys);
  }

  seal(label: string, plain: Uint8Array): Uint8Array {
    const header = new Uint8Array(HEADER);
    header[0] = VERSION;
    new DataView(header.buffer).setUint32(1, this.#current);
    return encrypt(this.#key(this.#current, label), utf8(label), header, plain, this.#random);
  }

  /** Crypto errors: STORE_KEY_UNKNOWN after another process rotated the store key, STORE_SEAL for changed octets. */
  open(label: string, sealed: Uint8Array): Uint8Array {
    if (sealed.length < HEADER + NONCE + TAG || sealed[0] !== VERSION) {
      throw new MikeySakkeError("crypto", "STORE_SEAL", `${label}: not a sealed value`);
    }
    const id = new DataView(sealed.buffer, sealed.byteOffset).getUint32(1);
    const plain = decrypt(this.#key(id, label), utf8(label), HEADER, sealed);
    if (plain !== undefined) return plain;
    throw new MikeySakkeError("crypto", "STORE_SEAL", `${label}: the sealed value was changed or moved`);
  }

  /**
   * Wraps the data keys under another store key and makes a new data key for what is sealed from now on. Other
   * processes go on with the keys they have, and must be started again with the new store key to read what is new.
   */
  async rotate(newKek: Uint8Array): Promise<void> {
    requireBytes(newKek, "store key", KEK_BYTES);
    const key = this.#random(DATA_KEY_BYTES);
    this.#current = await this.#db.transaction(async (sql) => {
      const ids = (await lockedRows(sql)).map(({ id }) => id);
      if (ids.some((id) => !this.#keys.has(id))) {
        const text = "another process rotated the store key; start again with the new one";
        throw new MikeySakkeError("usage", "STORE_KEY_ROTATED", text);
      }
      const next = Math.max(...ids) + 1;
      const all = [...ids.map((id) => [id, this.#keys.get(id)!] as const), [next, key] as const];
      await sql.query("DELETE FROM store_key");
      await insert(
        sql,
        all.map(([id, one]) => ({ id, wrapped: wrap(newKek, id, one, this.#random) })),
      );
      return next;
    });
    this.#keys.set(this.#current, key);
  }

  destroy(): void {
    wipe(...this.#keys.values());
    this.#keys.clear();
  }

  #key(id: number, label: string): Uint8Array {
    const key = this.#keys.get(id);
    if (key !== undefined) return key;
    if (this.#keys.size === 0)
      throw new MikeySakkeError("usage", "DESTROYED", "the store keys were destroyed");
    const text = `${label}: sealed under data key ${id}, made after this process started; start it again`;
    throw new MikeySakkeError("crypto", "STORE_KEY_UNKNOWN", text);
  }
}

/** Usage error WRONG_STORE_KEY unless this row of the database was wrapped under the store key. */
export function requireStoreKey(kek: Uint8Array, { id, wrapped }: Row): void {
  wipe(unwrap(kek, id, wrapped));
}

interface Row {
  readonly id: number;
  readonly wrapped: Uint8Array;
}

/** Processes that start or rotate at the same time come one after the other. */
async function lockedRows(sql: Sql): Promise<Row[]> {
  await sql.query("LOCK TABLE store_key IN EXCLUSIVE MODE");
  return (await sql.query<Row>("SELECT id, wrapped FROM store_key ORDER BY id")).rows;
}

async function insert(sql: Sql, rows: readonly Row[]): Promise<void> {
  await sql.query("INSERT INTO store_key (id, wrapped) SELECT * FROM unnest($1::integer[], $2::bytea[])", [
    rows.map(({ id }) => id),
    rows.map(({ wrapped }) => wrapped),
  ]);
}

const keyLabel = (id: number) => utf8(`data key ${id}`);

function wrap(kek: Uint8Array, id: number, key: Uint8Array, random: RandomSource): Uint8Array {
  return encrypt(kek, keyLabel(id), new Uint8Array(0), key, random);
}

function unwrap(kek: Uint8Array, id: number, wrapped: Uint8Array): Uint8Array {
  const key = decrypt(kek, keyLabel(id), 0, wrapped);
  if (key !== undefined) return key;
  const text = "the store key is not the one this database was made with";
  throw new MikeySakkeError("usage", "WRONG_STORE_KEY", text);
}

/** Header, nonce, ciphertext, tag. */
function encrypt(
  key: Uint8Array,
  label: Uint8Array,
  header: Uint8Array,
  plain: Uint8Array,
  random: RandomSource,
): Uint8Array {
  const nonce = random(NONCE);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG });
  cipher.setAAD(concat(header, label));
  return concat(header, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

/** Undefined where the tag does not fit. */
function decrypt(
  key: Uint8Array,
  label: Uint8Array,
  headerLength: number,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const body = headerLength + NONCE;
  const end = sealed.length - TAG;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(headerLength, body), {
    authTagLength: TAG,
  });
  decipher.setAAD(concat(sealed.subarray(0, headerLength), label));
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(body, end));
  try {
    decipher.final();
    return new Uint8Array(plain);
  } catch {
    return undefined;
  } finally {
    wipe(plain);
  }
}
