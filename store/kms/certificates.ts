/** Certificates of other KMSs, revocation, and the number that tells a client whether its cache is old. */
import { MikeySakkeError } from "../../base/errors.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { Database, Sql } from "../database/sql.ts";
import { type CertificateJson, certificateFromJson, certificateToJson } from "./certificate-json.ts";
import { lockForChange } from "./issuing-lock.ts";
import type { AllCertificates, OtherCertificate, OtherKind } from "./records.ts";

/**
 * CacheNum of KmsCertCache (TS 33.180 D.3.2), an integer, grows with every change: to the present second at least, so that a
 * database that was restored from a backup gives no number a second time, which a client may hold for another cache.
 */
export async function countChange(sql: Sql): Promise<void> {
  await sql.query(
    "UPDATE kms_cache SET cache_num = greatest(cache_num + 1, extract(epoch FROM clock_timestamp())::bigint)",
  );
}

export function revoke(db: Database, certUri: string): Promise<void> {
  return db.transaction(async (sql) => {
    await lockForChange(sql);
    const revoked = `certificate || '{"revoked": true}'::jsonb`;
    const own = await sql.query(
      `UPDATE kms_master SET revoked = true, certificate = ${revoked} WHERE cert_uri = $1`,
      [certUri],
    );
    const other = await sql.query(
      `UPDATE kms_other_certificate SET certificate = ${revoked} WHERE cert_uri = $1`,
      [certUri],
    );
    if (certUri === "" || own.affected + other.affected === 0) throw unknown(certUri);
    await countChange(sql);
  });
}

interface Row {
  readonly cache_num: number;
  readonly kind: OtherKind | "own" | null;
  readonly certificate: CertificateJson | null;
}

/** One statement: a number with certificates older than it would keep the change from a client for good. */
export async function listAll(sql: Sql): Promise<AllCertificates> {
  const { rows } = await sql.query<Row>(
    `SELECT cache_num, kind, certificate FROM kms_cache LEFT JOIN (
      SELECT 'own' AS kind, certificate, from_period, id, NULL AS kms_uri, NULL AS cert_uri FROM kms_master
      UNION ALL SELECT kind, certificate, NULL, NULL, kms_uri, cert_uri FROM kms_other_certificate) AS c ON true
    ORDER BY from_period, id, kms_uri, cert_uri`,
  );
  const own: KmsCertificate[] = [];
  const others: OtherCertificate[] = [];
  for (const { kind, certificate } of rows) {
    if (kind === null || certificate === null) continue;
    if (kind === "own") own.push(certificateFromJson(certificate));
    else others.push({ certificate: certificateFromJson(certificate), kind });
  }
  return { cacheNum: rows[0]!.cache_num, own, others };
}

export function putOther(db: Database, certificate: KmsCertificate, kind: OtherKind): Promise<void> {
  return db.transaction(async (sql) => {
    await sql.query(
      `INSERT INTO kms_other_certificate (kms_uri, cert_uri, kind, certificate) VALUES ($1, $2, $3, $4::jsonb)
      ON CONFLICT (kms_uri, cert_uri) DO UPDATE SET kind = excluded.kind, certificate = excluded.certificate`,
      [certificate.kmsUri, certificate.certUri ?? "", kind, certificateToJson(certificate)],
    );
    await countChange(sql);
  });
}

export function removeOther(db: Database, kmsUri: string): Promise<void> {
  return db.transaction(async (sql) => {
    const { affected } = await sql.query("DELETE FROM kms_other_certificate WHERE kms_uri = $1", [kmsUri]);
    if (affected === 0) throw unknown(kmsUri);
    await countChange(sql);
  });
}

function unknown(uri: string): MikeySakkeError {
  return new MikeySakkeError("usage", "UNKNOWN_CERTIFICATE", `there is no certificate ${uri}`);
}
