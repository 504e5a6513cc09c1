/**
 * The GMS as a client of its KMS: it gets the keys of its identity and the certificates of its members' KMSs (TS 33.180
 * 5.7.1), and keeps them in its store, from which processes on one database share them.
 */

import type { TimerPort } from "../../base/clock.ts";
import { defined } from "../../base/defined.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { Core } from "../../bindings/core/core.ts";
import type { GmsStore } from "../../store/gms/gms-store.ts";
import {
  holdKeys,
  KeyStore,
  KmsClient,
  type KmsFetch,
  KmsRefusedError,
  KmsTrust,
  type TransportKeys,
  wipeSecrets,
} from "../identity/index.ts";
import { type GmsConfig, type GmsConfigInput, parseGmsConfig } from "./common/config.ts";
import { loggable, refusedConfig } from "./common/errors.ts";
import { type GmsLog, noLog } from "./common/log.ts";
import type { GmsKeys } from "./common/ports.ts";

export interface ProvisionGmsOptions {
  /** `gmsUri`, `kmsUri`, `kmsUrl` and the KMSs of members are used. */
  readonly config: GmsConfigInput;
  /** Stays the caller's, as does the core: that of the pool where there is one. */
  readonly store: Pick<GmsStore, "secrets">;
  readonly core: Core;
  readonly fetch: KmsFetch;
  /** An access token of the GMS; asked for at each request. */
  readonly token: () => Promise<string>;
  /** TrK and InK that the GMS and the KMS were set up with. */
  readonly protection?: () => TransportKeys | Promise<TransportKeys>;
  readonly now?: () => number;
  readonly random?: RandomSource;
  readonly log?: GmsLog;
  /** The host's when absent. */
  readonly timers?: TimerPort;
}

export interface ProvisionedKeys extends GmsKeys {
  /** Ends the provisioning and clears the keys. */
  close(): Promise<void>;
}

/** KMSs that one redirect may propose. */
const MOST_PROPOSED = 16;

/**
 * Keys of the GMS that are kept up to date. Where the store has those of the present, the KMS is asked in the background.
 *
 * @throws MikeySakkeError usage `BAD_CONFIG`; those of `Provisioner.provision` when there are no keys yet
 */
export async function provisionGms(options: ProvisionGmsOptions): Promise<ProvisionedKeys> {
  const config = parseGmsConfig(options.config);
  const { core, now = Date.now, random = systemRandom, log = noLog, timers } = options;
  const { kmsUri: home, externalKms: external, acceptListedKms: acceptListed } = config;
  const client = clientOf(config, { ...options, now, random });
  const held = await holdKeys({
    client,
    store: new KeyStore(options.store.secrets),
    trust: new KmsTrust({ home, external, acceptListed }),
    core,
    now,
    random,
    ...defined({ timers }),
    onEvent(event) {
      if (event.type === "rejected") log.warn(loggable(event.error), "stored keys were not taken");
      else if (event.type === "failed") {
        log.warn({ ...loggable(event.error), retryAt: event.retryAt }, "the KMS was not reached");
      }
    },
  });
  const isKnown = (kmsUri: string) => held.current().domains.some((domain) => domain.kmsUri === kmsUri);
  return {
    core,
    current: () => held.current(),
    async redirect(proposed) {
      const permitted = await permittedOf(client, proposed.slice(0, MOST_PROPOSED));
      if (!permitted.every(isKnown)) await held.refresh();
      return permitted.filter(isKnown);
    },
    refresh: () => held.refresh(),
    close: () => held.close(),
  };
}

function clientOf(
  { kmsUrl, kmsUri, gmsUri }: GmsConfig,
  { fetch, token, now, random, protection }: ProvisionGmsOptions & { readonly now: () => number },
): KmsClient {
  if (kmsUrl === undefined) throw refusedConfig("kmsUrl: where the KMS is that keys the GMS");
  return new KmsClient({
    url: kmsUrl,
    kmsUri,
    userUri: gmsUri,
    fetch,
    token,
    now,
    ...defined({ random, protection }),
  });
}

/** The proposed KMSs that the Home KMS lets the GMS use (D.2.8). */
async function permittedOf(client: KmsClient, proposed: readonly string[]): Promise<readonly string[]> {
  if (proposed.length === 0) return [];
  try {
    const { message } = await client.redirect(proposed);
    wipeSecrets(message);
    const uris =
      message.type === "lookup" ? message.kmsUris : message.certificates.map(({ kmsUri }) => kmsUri);
    return proposed.filter((uri) => uris.includes(uri));
  } catch (error) {
    if (error instanceof KmsRefusedError && error.status === 403) return [];
    throw error;
  }
}
