/**
 * Keeps a client provisioned by one KMS (TS 33.180 5.3): its certificates, the key sets of the present and the next key
 * period, and its TrK and InK. What comes is checked, then stored, then taken over.
 */
import type { Core } from "../../bindings/core.ts";
import { MikeySakkeError } from "../../bindings/errors.ts";
import type { RandomSource } from "../../bindings/random.ts";
import type { KeyStore, TransportKeyKind } from "./key-store.ts";
import type { KmsClient } from "./kms-client.ts";
import { firstRun, type ProvisionResult, run } from "./provision-run.ts";
import type { RunTools } from "./provision-steps.ts";
import { RefreshLoop, type Timers } from "./refresh-loop.ts";
import type { CertificateChange } from "./take-certificates.ts";
import type { KmsTrust } from "./trust.ts";

export type { ProvisionResult } from "./provision-run.ts";
export type { Timers } from "./refresh-loop.ts";

export interface ProvisionerOptions {
  /** Of the Home KMS or of a Migration KMS. */
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
  readonly timers?: Timers;
  /** Told of what happens, not within it. */
  readonly onEvent?: (event: ProvisionEvent) => void;
}

export type ProvisionEvent =
  | ({ readonly type: "certificate" } & CertificateChange)
  | { readonly type: "key-set"; readonly userUri: string; readonly keyPeriodNo: number }
  | { readonly type: "key-set-dropped"; readonly userUri: string; readonly keyPeriodNo: number }
  /** A record of the storage that did not open was deleted; what it held is got again. */
  | { readonly type: "record-damaged"; readonly name: string }
  | { readonly type: "transport-key"; readonly kind: TransportKeyKind; readonly id: string }
  | { readonly type: "provisioned"; readonly result: ProvisionResult }
  | { readonly type: "failed"; readonly error: unknown; readonly retryAt: number };

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
      ...(timers !== undefined && { timers }),
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
