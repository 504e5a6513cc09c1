/** No secret is in the database in clear: neither in a dump, nor in the files of a folder, nor in its log of writes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64, toHex } from "../../base/bytes.ts";
import { Envelope } from "../../store/database/envelope.ts";
import { openDatabase } from "../../store/database/open.ts";
import type { Database } from "../../store/database/sql.ts";
import { KmsStore } from "../../store/kms/kms-store.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../support/postgres.ts";
import { seededRandom } from "../support/random.ts";
import { ALICE, issuedKey, KEK, newMaster } from "./records.ts";

const MASTER = newMaster("a", 0);
const KEY = issuedKey(ALICE, 5);
const NEW_KEK = seededRandom("new store key")(32);
const TRANSPORT_KEYS = (["TrK", "InK"] as const).map((kind) => ({
  id: `${kind} 1`,
  userUri: ALICE,
  kind,
  key: seededRandom(kind)(32),
  state: "active" as const,
  createdAt: 1,
}));
const SECRETS: Record<string, Uint8Array> = {
  z: MASTER.secrets.z,
  KSAK: MASTER.secrets.ksak,
  RSK: KEY.rsk,
  SSK: KEY.ssk,
  TrK: TRANSPORT_KEYS[0]!.key,
  InK: TRANSPORT_KEYS[1]!.key,
  "store key": KEK,
  "new store key": NEW_KEK,
};

/** Data keys are random octets the envelope asks for, as are nonces. */
async function fill(db: Database): Promise<Record<string, Uint8Array>> {
  const drawn: Uint8Array[] = [];
  const source = seededRandom("envelope");
  const envelope = await Envelope.open(db, KEK, (length) => {
    const out = source(length);
    if (length === 32) drawn.push(Uint8Array.from(out));
    return out;
  });
  const store = KmsStore.open(db, envelope);
  await store.addMaster(MASTER);
  await store.enrol([ALICE], 1);
  await store.saveIssued([KEY], { actor: "test" });
  for (const key of TRANSPORT_KEYS) await store.addTransportKey(key);
  await envelope.rotate(NEW_KEK);
  expect(drawn).toHaveLength(2);
  return { ...SECRETS, "data key 1": drawn[0]!, "data key 2": drawn[1]! };
}

/** Parts of 16 octets are looked for, in each form that they might have been written in. */
function found(haystack: Buffer, secrets: Record<string, Uint8Array>): string[] {
  const lower = Buffer.from(haystack.toString("latin1").toLowerCase(), "latin1");
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const part = secret.slice(8, 24);
    const plain = [Buffer.from(part), Buffer.from(toBase64(part).slice(0, 20))];
    // base64 of the whole, from where a group of three octets begins.
    plain.push(Buffer.from(toBase64(secret).slice(8, 32)));
    const hit =
      plain.some((form) => haystack.includes(form)) || lower.includes(Buffer.from(toHex(part).toLowerCase()));
    return hit ? [name] : [];
  });
}

describe("a folder of PGlite", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "secrets-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("holds public values in clear and no secret", async () => {
    const db = await openDatabase({ folder });
    const secrets = await fill(db);
    await db.close();
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    const all = Buffer.concat(files);
    expect(found(all, { PVT: KEY.pvt })).toEqual(["PVT"]);
    expect(all.includes(ALICE)).toBe(true);
    expect(found(all, secrets)).toEqual([]);
  });
});

describeWithPostgres("a dump of PostgreSQL", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster.stop());

  it("holds public values in clear and no secret", async () => {
    const url = await cluster.createDatabase();
    const db = await openDatabase({ url });
    const secrets = await fill(db);
    await db.close();
    const dump = Buffer.from(cluster.dump(url));
    expect(found(dump, { PVT: KEY.pvt, PubEncKey: MASTER.certificate.pubEncKey })).toEqual([
      "PVT",
      "PubEncKey",
    ]);
    expect(found(dump, secrets)).toEqual([]);
  });
});
