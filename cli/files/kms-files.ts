/** Certificates and key sets from the XML files of a KMS. */
import { MikeySakkeError } from "../../base/errors.ts";
import type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
import {
  certificatesOf,
  type KmsDocument,
  type KmsKeySet,
  keySetsOf,
  readKmsDocument,
  withUid,
  XML_LIMITS,
} from "../../documents/kms-xml/index.ts";
import { filesIn, isFolder, readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";

/** The one certificate of a file: KmsInit, a certificate cache of one, or a KmsCertificate. */
export async function readCertificate(file: string, option: string): Promise<KmsCertificate> {
  const certificates = await fromFile(file, certificatesOf);
  const [certificate] = certificates;
  if (certificate === undefined)
    throw usageError("NO_CERTIFICATE", `${option}: ${file} has no KmsCertificate`);
  if (certificates.length > 1) {
    throw usageError(
      "MANY_CERTIFICATES",
      `${option}: ${file} has ${certificates.length} certificates, not one`,
    );
  }
  return certificate;
}

/** The certificates that a KMS gives its clients: its own certificates, and those of the KMSs that they may deal with. */
export interface OwnCertificates {
  /** Certificates of one KmsUri, at least one; several around a change of its master key. */
  readonly own: readonly KmsCertificate[];
  readonly others: readonly KmsCertificate[];
}

/** A certificate, or a certificate cache in which the Role tells the KMS's own from the others'. */
export async function readOwnCertificates(file: string, option: string): Promise<OwnCertificates> {
  const all = await readCertificates([file], option);
  const own = all.length === 1 ? all : all.filter(({ role }) => role !== "External");
  const kmsUris = new Set(own.map(({ kmsUri }) => kmsUri));
  if (kmsUris.size !== 1) {
    const found = kmsUris.size === 0 ? "only those of others" : `own ones of ${[...kmsUris].join(" and ")}`;
    throw usageError(
      "MANY_CERTIFICATES",
      `${option}: ${file} must have the certificates of one KMS, has ${found}`,
    );
  }
  return { own, others: all.filter((certificate) => !own.includes(certificate)) };
}

/** All certificates of files, such as a certificate cache. */
export async function readCertificates(files: readonly string[], option: string): Promise<KmsCertificate[]> {
  const all = [];
  for (const file of files) {
    const certificates = await fromFile(file, certificatesOf);
    if (certificates.length === 0) {
      throw usageError("NO_CERTIFICATE", `${option}: ${file} has no KmsCertificate`);
    }
    all.push(...certificates);
  }
  return all;
}

/**
 * All key sets of files, and of the .xml files of folders, with their UIDs: the certificates of one KMS have the same
 * key periods.
 */
export async function readKeySets(
  names: readonly string[],
  [certificate]: readonly KmsCertificate[],
  option: string,
): Promise<KeySet[]> {
  const keySets: KmsKeySet[] = [];
  for (const name of names) {
    const files = (await isFolder(name)) ? await filesIn(name, [".xml"]) : [name];
    for (const file of files) keySets.push(...(await fromFile(file, keySetsOf)));
  }
  if (keySets.length === 0)
    throw usageError("NO_KEYS", `${option}: ${names.join(", ")}: no KmsKeySet inside`);
  return keySets.map((keySet) => withUid(keySet, certificate!));
}

/** Faults of these files are faults of the call, not of a message: they become usage errors that name the file. */
async function fromFile<T>(file: string, take: (document: KmsDocument) => T): Promise<T> {
  const octets = await readFile(file, XML_LIMITS.maxLength);
  try {
    return take(readKmsDocument(octets));
  } catch (cause) {
    if (cause instanceof MikeySakkeError) throw usageError(cause.code, `${file}: ${cause.message}`, cause);
    throw cause;
  } finally {
    octets.fill(0);
  }
}
