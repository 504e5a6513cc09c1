/** The GMS's own secrets, sealed, in the shape of the client role's storage. */
import { requireBytes } from "../../bindings/errors.ts";
import type { Envelope } from "../envelope.ts";
import type { Database } from "../sql.ts";
import { isStorable } from "../texts.ts";
import { usage } from "./checks.ts";
import type { GmsSecrets } from "./gms-store.ts";

const NAME_LENGTH = 200;

const label = (name: string) => `gms secret ${name}`;

export function secretsOf(db: Database, envelope: Envelope): GmsSecrets {
  return {
    async get(name) {
      const { rows } = await db.query<{ sealed: Uint8Array }>(
        "SELECT sealed FROM gms_secret WHERE name = $1",
        [name],
      );
      return rows[0] && envelope.open(label(name), rows[0].sealed);
    },
    async put(name, octets) {
      if (name === "" || name.length > NAME_LENGTH || !isStorable(name)) {
        throw usage("BAD_RECORD_NAME", "a record's name is a text of 1 to 200 characters");
      }
      requireBytes(octets, name);
      await db.query(
        `INSERT INTO gms_secret (name, sealed) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed`,
        [name, envelope.seal(label(name), octets)],
      );
    },
    async delete(name) {
      await db.query("DELETE FROM gms_secret WHERE name = $1", [name]);
    },
    async list(prefix) {
      const { rows } = await db.query<{ name: string }>(
        "SELECT name FROM gms_secret WHERE starts_with(name, $1) ORDER BY name",
        [prefix],
      );
      return rows.map(({ name }) => name);
    },
  };
}
