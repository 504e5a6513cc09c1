/** Master secrets and their certificates. */
import { concat, wipe } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError, requireBytes } from "../../base/errors.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { MasterSecrets } from "../../bindings/kms.ts";
import type { Envelope } from "../database/envelope.ts";
import type { Database, Sql } from "../database/sql.ts";
import { type CertificateJson, certificateFromJson, certificateToJson } from "./certificate-json.ts";
import { countChange } from "./certificates.ts";
import { lockForChange } from "./issuing-lock.ts";
import type { AddMasterOptions, MasterRecord, NewMaster } from "./records.ts";

const Z_BYTES = 128;
const KSAK_BYTES = 32;

const label = (id: number) => `kms master ${id}`;

interface MasterRow {
  readonly id: number;
  readonly certificate: CertificateJson;
  readonly from_period: number;
  readonly until_period: number | null;
  readonly revoked: boolean;
  readonly created_at: number;
}

export async function list(sql: Sql): Promise<MasterRecord[]> {
  const { rows } = await sql.query<MasterRow>(
    `SELECT id, certificate, from_period, revoked, created_at,
      (SELECT min(from_period) FROM kms_master newer WHERE newer.id > m.id) AS until_period
    FROM kms_master m ORDER BY from_period, id`,
  );
  return rows.map((row) => ({
    id: row.id,
    certificate: certificateFromJson(row.certificate),
    fromPeriod: row.from_period,
    ...(row.until_period === null ? {} : { untilPeriod: row.until_period }),
    revoked: row.revoked,
    createdAt: row.created_at,
  }));
}

export async function secrets(sql: Sql, envelope: Envelope, id: number): Promise<MasterSecrets> {
  const { rows } = await sql.query<{ sealed: Uint8Array }>("SELECT sealed FROM kms_master WHERE id = $1", [
    id,
  ]);
  const row = rows[0];
  if (row === undefined) {
    throw new MikeySakkeError("usage", "UNKNOWN_MASTER", `there is no master ${id}`);
  }
  const plain = envelope.open(label(id), row.sealed);
  const both = { z: plain.slice(0, Z_BYTES), ksak: plain.slice(Z_BYTES) };
  wipe(plain);
  return both;
}

export function add(
  db: Database,
  envelope: Envelope,
  master: NewMaster,
  options: AddMasterOptions,
): Promise<MasterRecord> {
  requireBytes(master.secrets.z, "z", Z_BYTES);
  requireBytes(master.secrets.ksak, "KSAK", KSAK_BYTES);
  return db.transaction(async (sql) => {
    await lockForChange(sql);
    const present = await list(sql);
    checkNew(master.certificate, present, options.first === true);
    const id = Math.max(0, ...present.map((m) => m.id)) + 1;
    await takeOver(sql, master, options);
    await insert(sql, envelope, id, master);
    await countChange(sql);
    return (await list(sql)).find((m) => m.id === id)!;
  });
}

function checkNew(certificate: KmsCertificate, present: readonly MasterRecord[], first: boolean): void {
  const refuse = (code: ErrorCode, text: string) => new MikeySakkeError("usage", code, text);
  if (first && present.length > 0) throw refuse("MASTER_EXISTS", "the KMS has a master already");
  for (const { certificate: other } of present) {
    if (other.certUri !== undefined && other.certUri === certificate.certUri) {
      throw refuse("CERTIFICATE_EXISTS", `the KMS has a certificate ${other.certUri} already`);
    }
    // The numbers of the periods that are stored mean something under one rule only.
    if (other.kmsUri !== certificate.kmsUri) {
      throw refuse("OTHER_KMS", `this is the database of ${other.kmsUri}, not of ${certificate.kmsUri}`);
    }
    if (
      other.userKeyPeriod !== certificate.userKeyPeriod ||
      other.userKeyOffset !== certificate.userKeyOffset
    ) {
      throw refuse("OTHER_KEY_PERIODS", "period and offset must be those of the masters before");
    }
  }
}

async function insert(sql: Sql, envelope: Envelope, id: number, master: NewMaster): Promise<void> {
  const { certificate, fromPeriod, createdAt } = master;
  const plain = concat(master.secrets.z, master.secrets.ksak);
  const sealed = envelope.seal(label(id), plain);
  wipe(plain);
  await sql.query(
    `INSERT INTO kms_master (id, cert_uri, from_period, certificate, sealed, revoked, created_at)
    VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7)`,
    [
      id,
      certificate.certUri ?? null,
      fromPeriod,
      certificateToJson(certificate),
      sealed,
      certificate.revoked === true,
      createdAt,
    ],
  );
}

/** Ends the certificates before it where its own begins, and sees to keys that others issued for its periods. */
async function takeOver(sql: Sql, master: NewMaster, options: AddMasterOptions): Promise<void> {
  const { certificate, fromPeriod, createdAt } = master;
  if (certificate.validFrom !== undefined) {
    await sql.query(
      `UPDATE kms_master SET certificate = jsonb_set(certificate, '{validTo}', to_jsonb($1::bigint))
      WHERE coalesce((certificate->>'validTo')::bigint > $1::bigint, true)`,
      [certificate.validFrom],
    );
  }
  if (options.replaceIssued === true) {
    await sql.query(
      `WITH dropped AS (
        DELETE FROM kms_issued WHERE period_no >= $1 RETURNING user_uri, period_no, master_id)
      INSERT INTO kms_audit (at, actor, action, user_uri, period_no, outcome, detail)
      SELECT $2::bigint, $3::text, 'drop-issued', user_uri, period_no, 'ok', jsonb_build_object('masterId', master_id)
      FROM dropped`,
      [fromPeriod, createdAt, options.actor ?? "kms"],
    );
    return;
  }
  const { rows } = await sql.query<{ period_no: number }>(
    "SELECT period_no FROM kms_issued WHERE period_no >= $1 ORDER BY period_no LIMIT 1",
    [fromPeriod],
  );
  if (rows[0] !== undefined) {
    const text = `keys of period ${rows[0].period_no} were issued by another master`;
    throw new MikeySakkeError("usage", "PERIOD_ISSUED", text);
  }
}
