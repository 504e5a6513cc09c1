/** Certificates of KMSs, read from the XML in which they come: loaded with the view that shows them. */
import { keyPeriodStart } from "../../../bindings/identity/key-period.ts";
import type { KmsCertificate } from "../../../bindings/identity/kms-material.ts";
import { ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import { certificatesOf, readKmsDocument, writeKmsCertificate } from "../../../documents/kms-xml/document.ts";
import type { WireMaster } from "../../../roles/kms/admin/wire.ts";
import type { OtherKind } from "../../../store/kms/records.ts";
import { askKms } from "./api.ts";

export interface ShownCertificate {
  readonly certificate: KmsCertificate;
  readonly kind: OtherKind | "own";
  /** The XML document that it came in. */
  readonly text: string;
}

export interface ShownMaster extends Omit<WireMaster, "certificate"> {
  /** Milliseconds since the Unix epoch. */
  readonly startsAt: number;
  /** The first moment that is another master's. */
  readonly endsAt: number | undefined;
}

export interface KmsKeys {
  readonly masters: readonly ShownMaster[];
  readonly certificates: readonly ShownCertificate[];
}

/** @throws {ApiError} as the KMS answers */
export async function loadKeys(): Promise<KmsKeys> {
  const [masters, { own, others }] = await Promise.all([
    askKms<WireMaster[]>("masters"),
    askKms<{ own: string[]; others: { certificate: string; kind: OtherKind }[] }>("certificates"),
  ]);
  const all = [
    ...own.map((text) => ({ text, kind: "own" as const })),
    ...others.map(({ certificate: text, kind }) => ({ text, kind })),
  ];
  return {
    masters: masters.map(({ certificate, ...master }) => {
      const { userKeyPeriod: period, userKeyOffset: offset } = oneOf(certificate);
      const startOf = (no: number) => ntpSecondsToUnixMs(keyPeriodStart(no, { period, offset }));
      const { fromPeriod, untilPeriod } = master;
      const endsAt = untilPeriod === undefined ? undefined : startOf(untilPeriod);
      return { ...master, startsAt: startOf(fromPeriod), endsAt };
    }),
    certificates: all.map(({ text, kind }) => ({ text, kind, certificate: oneOf(text) })),
  };
}

const oneOf = (text: string) => certificatesOf(readKmsDocument(text))[0]!;

/**
 * Returns the KMS's own certificates of a file that its operator gave, each as a document. `domains`: the domains that it
 * may vouch for, in place of those that the certificates list.
 *
 * @throws {MikeySakkeError} codec: no document of a KMS
 * @throws {Error} not of one KMS, or nobody says whom it may vouch for
 */
export function partnerDocuments(text: string, domains: readonly string[]): string[] {
  const all = certificatesOf(readKmsDocument(text));
  const own = all.length === 1 ? all : all.filter(({ role }) => role !== "External");
  if (new Set(own.map(({ kmsUri }) => kmsUri)).size !== 1) {
    throw new Error("the file must have the certificates of one KMS");
  }
  return own.map((certificate) => {
    const kmsDomains = domains.length > 0 ? domains : (certificate.kmsDomains ?? []);
    if (kmsDomains.length === 0) {
      throw new Error(`the certificate of ${certificate.kmsUri} lists no domains: say whom it may vouch for`);
    }
    return writeKmsCertificate({ ...certificate, role: "External", kmsDomains });
  });
}
