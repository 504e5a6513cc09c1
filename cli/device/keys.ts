/** The identity keys of a client, got from its KMS and kept up to date. */

import { defined } from "../../base/defined.ts";
import { systemRandom } from "../../base/random.ts";
import type { Core } from "../../bindings/core/core.ts";
import {
  type ClientKeys,
  type HeldKeysEvent,
  holdKeys,
  KeyStore,
  KmsClient,
  type KmsFetch,
  KmsTrust,
  type SecretStorage,
  type TransportKeys,
} from "../../roles/identity/index.ts";

export interface KeysOptions {
  readonly userUri: string;
  readonly kmsUrl: string;
  /** Asked of the KMS when absent. */
  readonly kmsUri?: string;
  readonly token: () => Promise<string>;
  readonly fetch: KmsFetch;
  readonly storage: SecretStorage;
  readonly core: Core;
  readonly protection?: TransportKeys;
  readonly onEvent?: (event: HeldKeysEvent) => void;
}

export interface ProvisionedKeys {
  readonly kmsUri: string;
  current(): ClientKeys;
  /** Ends the refreshing and clears the keys. */
  stop(): Promise<void>;
}

/** The keys that are stored, or those of the KMS where they are not there. From then on it looks at the KMS in time. */
export async function provisionedKeys(options: KeysOptions): Promise<ProvisionedKeys> {
  const { userUri, kmsUrl, kmsUri, token, fetch, storage, core, protection = {}, onEvent } = options;
  const client = new KmsClient({
    url: kmsUrl,
    userUri,
    fetch,
    token,
    now: Date.now,
    protection: () => protection,
    ...defined({ kmsUri }),
  });
  const home = kmsUri ?? (await client.discover());
  const held = await holdKeys({
    client,
    store: new KeyStore(storage),
    trust: new KmsTrust({ home }),
    core,
    now: Date.now,
    random: systemRandom,
    ...defined({ onEvent }),
  });
  return { kmsUri: home, current: () => held.current(), stop: () => held.close() };
}
