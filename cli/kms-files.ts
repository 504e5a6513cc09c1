/** Certificates and key sets from the XML files of a KMS. */
import { MikeySakkeError } from "../bindings/errors.ts";
import type { KeySet, KmsCertificate } from "../bindings/kms-material.ts";
import {
  certificatesOf,
  type KmsDocument,
  type KmsKeySet,
  keySetsOf,
  readKmsDocument,
  withUid,
  XML_LIMITS,
} from "../transport/kms-xml/index.ts";
import { filesIn, isFolder, readFile } from "./files.ts";
import { usageError } from "./usage.ts";

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

/** All key sets of files, and of the .xml files of folders, with their UIDs under `certificate`. */
export async function readKeySets(
  names: readonly string[],
  certificate: KmsCertificate,
  option: string,
): Promise<KeySet[]> {
  const keySets: KmsKeySet[] = [];
  for (const name of names) {
    const files = (await isFolder(name)) ? await filesIn(name, [".xml"]) : [name];
    for (const file of files) keySets.push(...(await fromFile(file, keySetsOf)));
  }
  if (keySets.length === 0)
    throw usageError("NO_KEYS", `${option}: ${names.join(", ")}: no KmsKeySet inside`);
  return keySets.map((keySet) => withUid(keySet, certificate));
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
