/** Records by name, sealed in the database, in the shape of the client role's storage. */
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import type { Envelope } from "./envelope.ts";
import type { Database } from "./sql.ts";
import { isStorable } from "./texts.ts";

/** A `SecretStorage` of the client role. */
export interface SealedRecords {
  get(name: string): Promise<Uint8Array | undefined>;
  put(name: string, octets: Uint8Array): Promise<void>;
  create(name: string, octets: Uint8Array): Promise<boolean>;
  delete(name: string): Promise<void>;
  list(prefix: string): Promise<string[]>;
}

const NAME_LENGTH = 200;

/** `table` has the columns `name` and `sealed`; `label` begins the label of every record. */
export function sealedRecords(
  db: Database,
  envelope: Envelope,
  { table, label }: { readonly table: string; readonly label: string },
): SealedRecords {
  const labelOf = (name: string) => `${label} ${name}`;
  return {
    async get(name) {
      const { rows } = await db.query<{ sealed: Uint8Array }>(`SELECT sealed FROM ${table} WHERE name = $1`, [
        name,
      ]);
      return rows[0] && envelope.open(labelOf(name), rows[0].sealed);
    },
    async put(name, octets) {
      requireRecord(name, octets);
      await db.query(
        `INSERT INTO ${table} (name, sealed) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed`,
        [name, envelope.seal(labelOf(name), octets)],
      );
    },
    async create(name, octets) {
      requireRecord(name, octets);
      const { rows } = await db.query(
        `INSERT INTO ${table} (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING name`,
        [name, envelope.seal(labelOf(name), octets)],
      );
      return rows.length === 1;
    },
    async delete(name) {
      await db.query(`DELETE FROM ${table} WHERE name = $1`, [name]);
    },
    async list(prefix) {
      const { rows } = await db.query<{ name: string }>(
        `SELECT name FROM ${table} WHERE starts_with(name, $1) ORDER BY name`,
        [prefix],
      );
      return rows.map(({ name }) => name);
    },
  };
}

function requireRecord(name: string, octets: Uint8Array): void {
  if (name === "" || name.length > NAME_LENGTH || !isStorable(name)) {
    const text = "a record's name is a text of 1 to 200 characters";
    throw new MikeySakkeError("usage", "BAD_RECORD_NAME", text);
  }
  requireBytes(octets, name);
}
