/** The KMSs that a client may use, and for what (TS 33.180 5.3.1). */
import { MikeySakkeError } from "../../base/errors.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";

/**
 * `home`: keys the user, and is the source of certificates of others. `migration`: keys the user in another domain.
 * `external`: its certificate is used to communicate with its users, and it keys nobody here.
 */
export type KmsKind = "home" | "migration" | "external";

export interface TrustPolicy {
  /** KmsUri of the one Home KMS. */
  readonly home: string;
  readonly migration?: readonly string[];
  readonly external?: readonly string[];
  /** Whether the KMSs that the Home KMS lists are external KMSs too. True when absent. */
  readonly acceptListed?: boolean;
}

export class KmsTrust {
  readonly home: string;
  readonly acceptListed: boolean;
  readonly #configured: ReadonlyMap<string, KmsKind>;
  #listed: ReadonlySet<string> = new Set();

  constructor({ home, migration = [], external = [], acceptListed = true }: TrustPolicy) {
    this.home = home;
    this.acceptListed = acceptListed;
    this.#configured = new Map<string, KmsKind>([
      ...external.map((uri) => [uri, "external"] as const),
      ...migration.map((uri) => [uri, "migration"] as const),
      [home, "home"],
    ]);
  }

  /** Takes over what the Home KMS lists. That makes no KMS one that may key the user: only configuration does. */
  list(kmsUris: readonly string[]): void {
    if (this.acceptListed) this.#listed = new Set(kmsUris);
  }

  /** All KMSs that may be used, the home first. */
  get kmsUris(): readonly string[] {
    return [...new Set([this.home, ...this.#configured.keys(), ...this.#listed])];
  }

  /** Undefined: may not be used at all. */
  kindOf(kmsUri: string): KmsKind | undefined {
    return this.#configured.get(kmsUri) ?? (this.#listed.has(kmsUri) ? "external" : undefined);
  }

  /** @throws {MikeySakkeError} validation `KMS_NOT_TRUSTED` */
  requireKeying(kmsUri: string): void {
    const kind = this.kindOf(kmsUri);
    if (kind === "home" || kind === "migration") return;
    const text = kind === undefined ? "may not be used" : "may not key this client";
    throw new MikeySakkeError("validation", "KMS_NOT_TRUSTED", `KMS ${kmsUri}: ${text}`);
  }

  /**
   * A certificate of another KMS than the Home KMS with the list of domains and URIs that it may vouch for, which is
   * empty when it has none.
   */
  limited(certificate: KmsCertificate): KmsCertificate {
    return certificate.kmsUri === this.home ? certificate : { kmsDomains: [], ...certificate };
  }

  /**
   * Returns whether a certificate of `kmsUri` may come from the KMS `from`: its own, and from the Home KMS those of
   * others.
   */
  mayCertify(from: string, kmsUri: string): boolean {
    return from === kmsUri || from === this.home;
  }
}
