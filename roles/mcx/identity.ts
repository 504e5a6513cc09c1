/** The MCX server as a client of its KMS: the keys of its own identity (TS 33.180 4.3.5.2), kept up to date. */

import type { TimerPort } from "../../base/clock.ts";
import { defined } from "../../base/defined.ts";
import type { RandomSource } from "../../base/random.ts";
import type { Core } from "../../bindings/core/core.ts";
import {
  type HeldKeys,
  holdKeys,
  KeyStore,
  KmsClient,
  type KmsFetch,
  KmsTrust,
  type SecretStorage,
  type TransportKeys,
} from "../identity/index.ts";
import { noLog, type ServerLog } from "../server/log.ts";
import { type McxConfigInput, parseMcxConfig } from "./common/config.ts";
import { refusedConfig } from "./common/errors.ts";

export interface ProvisionMcxOptions {
  /** `mcxUri`, `kmsUri` and `kmsUrl` are used. */
  readonly config: McxConfigInput;
  /** For the keys; stays the caller's, as does the core. */
  readonly storage: SecretStorage;
  readonly core: Core;
  readonly fetch: KmsFetch;
  /** An access token of the server; asked for at each request. */
  readonly token: () => Promise<string>;
  readonly protection?: () => TransportKeys | Promise<TransportKeys>;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly log?: ServerLog;
  readonly timers?: TimerPort;
}

/** @throws MikeySakkeError usage `BAD_CONFIG`; those of `holdKeys` */
export async function provisionMcxServer(options: ProvisionMcxOptions): Promise<HeldKeys> {
  const { kmsUrl, kmsUri, mcxUri } = parseMcxConfig(options.config);
  const { storage, core, fetch, token, protection, now, random, log = noLog, timers } = options;
  if (kmsUrl === undefined) throw refusedConfig("kmsUrl: where the KMS is that keys the server");
  return holdKeys({
    client: new KmsClient({
      url: kmsUrl,
      kmsUri,
      userUri: mcxUri,
      fetch,
      token,
      now,
      random,
      ...defined({ protection }),
    }),
    store: new KeyStore(storage),
    trust: new KmsTrust({ home: kmsUri }),
    core,
    now,
    random,
    ...defined({ timers }),
    onEvent(event) {
      if (event.type === "rejected") log.warn({ detail: String(event.error) }, "stored keys were not taken");
      else if (event.type === "failed") {
        log.warn({ detail: String(event.error), retryAt: event.retryAt }, "the KMS was not reached");
      }
    },
  });
}
