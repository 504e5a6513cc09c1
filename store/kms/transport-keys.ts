/** TrK and InK of the users (TS 33.180 5.3.3). One of each kind is active for a user at a time. */
import { MikeySakkeError } from "../../base/errors.ts";
import type { Envelope } from "../database/envelope.ts";
import type { Database, Sql } from "../database/sql.ts";
import type {
  NewTransportKeyRecord,
  TransportKeyKind,
  TransportKeyRecord,
  TransportKeyState,
} from "./records.ts";

interface KeyRow {
  readonly id: string;
  readonly user_uri: string;
  readonly kind: TransportKeyKind;
  readonly state: TransportKeyState;
  readonly sealed: Uint8Array;
  readonly created_at: number;
}

const COLUMNS = "id, user_uri, kind, state, sealed, created_at";

const label = (kind: TransportKeyKind, id: string, userUri: string) =>
  `kms ${kind} ${JSON.stringify(id)} ${userUri}`;

function record(envelope: Envelope, row: KeyRow): TransportKeyRecord {
  return {
    id: row.id,
    userUri: row.user_uri,
    kind: row.kind,
    key: envelope.open(label(row.kind, row.id, row.user_uri), row.sealed),
    state: row.state,
    createdAt: row.created_at,
  };
}

/** Two activations at once would each leave the other's key active. */
async function lock(sql: Sql): Promise<void> {
  await sql.query("LOCK TABLE kms_transport_key IN SHARE ROW EXCLUSIVE MODE");
}

async function retireActive(sql: Sql, userUri: string, kind: TransportKeyKind): Promise<void> {
  await sql.query(
    `UPDATE kms_transport_key SET state = 'retired' WHERE user_uri = $1 AND kind = $2 AND state = 'active'`,
    [userUri, kind],
  );
}

export function add(
  db: Database,
  envelope: Envelope,
  key: TransportKeyRecord,
  { under }: { readonly under?: string },
): Promise<void> {
  return db.transaction(async (sql) => {
    await lock(sql);
    if (under !== undefined) await requireUsable(sql, under);
    if (key.state === "active") await retireActive(sql, key.userUri, key.kind);
    await insert(sql, envelope, key);
  });
}

/** In one step: half of it would leave a key in use that came under one that others know. */
export function replace(
  db: Database,
  envelope: Envelope,
  userUri: string,
  keys: readonly NewTransportKeyRecord[],
): Promise<void> {
  return db.transaction(async (sql) => {
    await lock(sql);
    const pending =
      "UPDATE kms_transport_key SET state = 'retired' WHERE user_uri = $1 AND state = 'pending'";
    await sql.query(pending, [userUri]);
    for (const key of keys) {
      await retireActive(sql, userUri, key.kind);
      await insert(sql, envelope, { ...key, userUri, state: "active" });
    }
  });
}

async function insert(sql: Sql, envelope: Envelope, key: TransportKeyRecord): Promise<void> {
  const { id, userUri, kind, state, createdAt } = key;
  const value = envelope.seal(label(kind, id, userUri), key.key);
  const { affected } = await sql.query(
    `INSERT INTO kms_transport_key (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`,
    [id, userUri, kind, state, value, createdAt],
  );
  if (affected === 0) {
    throw new MikeySakkeError("usage", "TRANSPORT_KEY_EXISTS", `there is a transport key ${id} already`);
  }
}

export async function ofUser(sql: Sql, envelope: Envelope, userUri: string): Promise<TransportKeyRecord[]> {
  const text = `SELECT ${COLUMNS} FROM kms_transport_key WHERE user_uri = $1 ORDER BY created_at, id`;
  const { rows } = await sql.query<KeyRow>(text, [userUri]);
  return rows.map((row) => record(envelope, row));
}

export async function find(
  sql: Sql,
  envelope: Envelope,
  id: string,
): Promise<TransportKeyRecord | undefined> {
  const text = `SELECT ${COLUMNS} FROM kms_transport_key WHERE id = $1`;
  const { rows } = await sql.query<KeyRow>(text, [id]);
  return rows[0] === undefined ? undefined : record(envelope, rows[0]);
}

export function activate(db: Database, id: string): Promise<void> {
  return db.transaction(async (sql) => {
    await lock(sql);
    const row = await requireUsable(sql, id);
    if (row.state === "active") return;
    await retireActive(sql, row.user_uri, row.kind);
    await sql.query("UPDATE kms_transport_key SET state = 'active' WHERE id = $1", [id]);
  });
}

async function requireUsable(sql: Sql, id: string): Promise<Pick<KeyRow, "user_uri" | "kind" | "state">> {
  const { rows } = await sql.query<KeyRow>(
    "SELECT user_uri, kind, state FROM kms_transport_key WHERE id = $1",
    [id],
  );
  const row = rows[0];
  if (row === undefined) {
    throw new MikeySakkeError("usage", "TRANSPORT_KEY_UNKNOWN", `there is no transport key ${id}`);
  }
  if (row.state === "retired") {
    throw new MikeySakkeError("usage", "TRANSPORT_KEY_RETIRED", `transport key ${id}: retired`);
  }
  return row;
}
