/**
 * Keeps a client provisioned by one KMS (TS 33.180 5.3): its certificates, the key sets of the present and the next key
 * period, and its TrK and InK. What comes is checked, then stored, then taken over.
 */

import type { TimerPort } from "../../base/clock.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import type { Core } from "../../bindings/core/core.ts";
import type { KeyStore } from "./key-store.ts";
import type { KmsClient } from "./kms-client.ts";
import type { ProvisionEvent, ProvisionResult } from "./provision-event.ts";
import { firstRun, run } from "./provision-run.ts";
import type { RunTools } from "./provision-steps.ts";
import { RefreshLoop } from "./refresh-loop.ts";
import type { KmsTrust } from "./trust.ts";

export interface ProvisionerOptions {
  /** KmsUri of the Home KMS or of a Migration KMS. */
  readonly client: KmsClient;
  readonly store: KeyStore;
  readonly trust: KmsTrust;
  readonly core: Core;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
  /** Identities to get keys for; the user's when absent. */
  readonly identities?: readonly string[];
  /** Key periods before the present one whose keys are kept, for stored messages. 1 when absent (RFC 6509 3.3). */
  readonly keepPeriods?: number;
  /** Longest time between two looks at the certificates, about. A day when absent. */
  readonly maxAgeMs?: number;
  /** For `start`; the host's when absent, which do not keep a process alive. */
  readonly timers?: TimerPort;
  /** Told of what happens, not within it. */
  readonly onEvent?: (event: ProvisionEvent) => void;
}

const DAY_MS = 24 * 3600 * 1000;

export class Provisioner {
  readonly #tools: RunTools;
  readonly #loop: RefreshLoop;
  readonly #onEvent: ((event: ProvisionEvent) => void) | undefined;
  #running: Promise<ProvisionResult> | undefined;

  /** @throws {MikeySakkeError} usage `NO_KMS_URI`: `client` does not know it; validation `KMS_NOT_TRUSTED` */
  constructor({ onEvent, timers, ...options }: ProvisionerOptions) {
    const { client, trust, now, random } = options;
    const { kmsUri, userUri } = client;
    if (kmsUri === undefined) {
      throw new MikeySakkeError(
        "usage",
        "NO_KMS_URI",
        "the client's KmsUri is not known: call its discover() first",
      );
    }
    trust.requireKeying(kmsUri);
    this.#onEvent = onEvent;
    this.#tools = {
      keepPeriods: 1,
      maxAgeMs: DAY_MS,
      identities: [userUri],
      ...options,
      kmsUri,
      tell: (event) => this.#tell(event),
    };
    this.#loop = new RefreshLoop({
      now,
      random,
      ...defined({ timers }),
      refresh: (signal) => this.provision({ signal }),
      failed: (error, retryAt) => this.#tell({ type: "failed", error, retryAt }),
    });
  }

  /** Looks at the KMS now. Calls at the same time are one. */
  provision(options: { readonly signal?: AbortSignal } = {}): Promise<ProvisionResult> {
    this.#running ??= this.#provision(options.signal).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Keeps provisioned until `stop`: at once if the keys of now are not there. Failures are told as events. */
  async start(): Promise<void> {
    this.#loop.start(await firstRun(this.#tools));
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#loop.stop();
    await this.#running?.catch(() => undefined);
  }

  async #provision(signal: AbortSignal | undefined): Promise<ProvisionResult> {
    const result = await run(this.#tools, signal);
    this.#tell({ type: "provisioned", result });
    return result;
  }

  #tell(event: ProvisionEvent): void {
    const tell = this.#onEvent;
    if (tell !== undefined) queueMicrotask(() => tell(event));
  }
}
