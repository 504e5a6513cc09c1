/** The admin API on the wire: paths, JSON shapes. Certificates and key sets are XML in strings, keys are base64. */
import { z } from "zod";
import { fromBase64, toBase64 } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { KmsCertificate } from "../../../bindings/identity/kms-material.ts";
import { certificatesOf, readKmsDocument, writeKmsCertificate } from "../../../documents/kms-xml/index.ts";
import type { WireError } from "../../server/wire-error.ts";
import type { MasterSummary, NewTransportKey } from "./admin.ts";

export const ADMIN_ROOT = "/admin/v1";

const uri = z.string().min(1).max(1024);
const count = z.number().int().min(0);
const kind = z.enum(["external", "migration"]);

/** Bodies of the requests, by operation: `POST /admin/v1/{operation}`. */
export const BODIES = {
  enrol: z.strictObject({ uris: z.array(uri).min(1).max(10_000) }),
  user: z.strictObject({ uri }),
  users: z.strictObject({
    after: z.string().optional(),
    limit: count.max(10_000),
    notIssued: z.strictObject({ period: count }).optional(),
  }),
  revokeUser: z.strictObject({ uri, reason: z.string().max(1000) }),
  reinstateUser: z.strictObject({ uri }),
  masters: z.strictObject({}),
  rotateMaster: z.strictObject({ fromPeriod: count.optional(), atOnce: z.boolean().optional() }),
  revokeCertificate: z.strictObject({ certUri: uri }),
  certificates: z.strictObject({}),
  putCertificate: z.strictObject({ document: z.string().max(65536), kind }),
  removeCertificate: z.strictObject({ kmsUri: uri }),
  transportKeys: z.strictObject({ userUri: uri }),
  newTransportKeys: z.strictObject({
    userUri: uri,
    kinds: z.array(z.enum(["TrK", "InK"])).min(1),
    replace: z.boolean().optional(),
  }),
  issue: z.strictObject({
    periodNo: count.optional(),
    users: z.array(uri).optional(),
    /** Whether the key sets come along. */
    keySets: z.boolean(),
  }),
  purgeIssuedBefore: z.strictObject({ periodNo: count }),
  auditLog: z.strictObject({ after: count.optional(), limit: count.max(10_000), userUri: uri.optional() }),
  rotateStoreKey: z.strictObject({ key: z.base64() }),
};

export type Operation = keyof typeof BODIES;
export type BodyOf<O extends Operation> = z.output<(typeof BODIES)[O]>;

/** A line of the answer to "issue". The last one is `result` or `error`. */
export type IssueLine =
  | { readonly done: number; readonly total: number }
  | { readonly keySet: string }
  | { readonly result: { readonly periodNo: number; readonly issued: number } }
  | { readonly error: WireError };

export type WireMaster = Omit<MasterSummary, "certificate"> & { readonly certificate: string };

export function toWireMaster({
  id,
  certificate,
  fromPeriod,
  untilPeriod,
  revoked,
  createdAt,
}: MasterSummary): WireMaster {
  const until = untilPeriod === undefined ? {} : { untilPeriod };
  return { id, certificate: writeKmsCertificate(certificate), fromPeriod, ...until, revoked, createdAt };
}

export function fromWireMaster(master: WireMaster): MasterSummary {
  return { ...master, certificate: fromWireCertificate(master.certificate) };
}

export function fromWireCertificate(document: string): KmsCertificate {
  const [certificate, ...more] = certificatesOf(readKmsDocument(document));
  if (certificate !== undefined && more.length === 0) return certificate;
  throw new MikeySakkeError("usage", "NOT_A_CERTIFICATE", "the document does not hold one KMS certificate");
}

export type WireTransportKey = Omit<NewTransportKey, "key"> & { readonly key: string };

export function toWireTransportKey({ key, ...summary }: NewTransportKey): WireTransportKey {
  return { ...summary, key: toBase64(key) };
}

export function fromWireTransportKey({ key, ...summary }: WireTransportKey): NewTransportKey {
  return { ...summary, key: fromBase64(key, "transport key") };
}
