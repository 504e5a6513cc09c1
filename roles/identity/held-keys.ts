/** The keys of one identity, got from its KMS and kept up to date, for who uses them all the time. */

import type { TimerPort } from "../../base/clock.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import { SerialQueue } from "../../base/serial-queue.ts";
import type { Core } from "../../bindings/core/core.ts";
import { ntpFromUnixMs } from "../../bindings/identity/ntp.ts";
import type { KeyStore } from "./key-store.ts";
import type { KmsClient } from "./kms-client.ts";
import { type ClientKeys, loadKeys } from "./load-keys.ts";
import type { ProvisionEvent } from "./provision-event.ts";
import { Provisioner } from "./provisioner.ts";
import type { KmsTrust } from "./trust.ts";

export interface HeldKeysOptions {
  /** KMS client of the identity; it must know its KmsUri. */
  readonly client: KmsClient;
  /** Stays the caller's, as does the core. */
  readonly store: KeyStore;
  readonly trust: KmsTrust;
  readonly core: Core;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
  /** The host's when absent. */
  readonly timers?: TimerPort;
  readonly onEvent?: (event: HeldKeysEvent) => void;
}

export type HeldKeysEvent =
  | ProvisionEvent
  /** A stored key set that was not taken, or keys that could not be loaded. */
  | { readonly type: "rejected"; readonly error: unknown };

export interface HeldKeys {
  /** Taken anew for each use, as they are replaced from time to time. */
  current(): ClientKeys;
  /** Looks at the KMS now. */
  refresh(): Promise<void>;
  /** Ends the provisioning and clears the keys. */
  close(): Promise<void>;
}

/** Longer than anything is at work with keys that were replaced meanwhile. */
const GRACE_MS = 600_000;

/**
 * Where the store has the keys of the present, the KMS is asked in the background.
 *
 * @throws what `Provisioner.provision` throws, when there are no keys yet
 */
export async function holdKeys(options: HeldKeysOptions): Promise<HeldKeys> {
  const holder = new Holder(options);
  try {
    await holder.start();
  } catch (error) {
    await holder.close();
    throw error;
  }
  return holder;
}

class Holder implements HeldKeys {
  readonly #options: HeldKeysOptions;
  readonly #provisioner: Provisioner;
  readonly #replaced: { readonly keys: ClientKeys; readonly at: number }[] = [];
  #keys: ClientKeys | undefined;
  readonly #loads = new SerialQueue();

  constructor(options: HeldKeysOptions) {
    this.#options = options;
    const tell = (event: HeldKeysEvent) => options.onEvent?.(event);
    this.#provisioner = new Provisioner({
      ...options,
      onEvent: (event) => {
        tell(event);
        if (event.type !== "provisioned") return;
        this.#load().catch((error: unknown) => tell({ type: "rejected", error }));
      },
    });
  }

  async start(): Promise<void> {
    if (!(await this.#hasPresent())) await this.refresh();
    await this.#provisioner.start();
  }

  current(): ClientKeys {
    return this.#keys!;
  }

  async refresh(): Promise<void> {
    await this.#provisioner.provision();
    await this.#load();
  }

  async close(): Promise<void> {
    await this.#provisioner.stop();
    await this.#loads.settled();
    for (const old of this.#replaced.splice(0)) old.keys.destroy();
    this.#keys?.destroy();
  }

  async #hasPresent(): Promise<boolean> {
    try {
      await this.#load();
      this.#keys!.initiator.keyAt(ntpFromUnixMs(this.#options.now()));
      return true;
    } catch (error) {
      const code = error instanceof MikeySakkeError ? error.code : "";
      if (code === "NOT_PROVISIONED" || code === "NO_SIGNING_KEY") return false;
      throw error;
    }
  }

  /** One after the other, since each replaces what the one before loaded. */
  #load(): Promise<void> {
    return this.#loads.run(() => this.#loadNow());
  }

  async #loadNow(): Promise<void> {
    const { core, store, trust, client, now, onEvent } = this.#options;
    const loaded = await loadKeys(core, store, trust, { userUri: client.userUri });
    for (const error of loaded.rejected) onEvent?.({ type: "rejected", error });
    if (this.#keys !== undefined) this.#replaced.push({ keys: this.#keys, at: now() });
    this.#keys = loaded;
    while (this.#replaced.length > 0 && now() - this.#replaced[0]!.at > GRACE_MS) {
      this.#replaced.shift()!.keys.destroy();
    }
  }
}
