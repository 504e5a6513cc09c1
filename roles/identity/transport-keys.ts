import type { NamedKey } from "../../documents/kms-xml/index.ts";

/** The keys that the client shares with the KMS (5.3). */
export interface TransportKeys {
  readonly trk?: NamedKey;
  readonly ink?: NamedKey;
}
