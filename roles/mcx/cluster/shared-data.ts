/** Short data for the clients of the other processes, by way of the database, where they lie sealed until they are taken. */
import type { McxStore } from "../../../store/index.ts";
import type { Clock } from "../../../transport/sip/index.ts";
import type { LastingFaults } from "../../server/lasting-faults.ts";
import { decodeSds, encodeSds, type Sds } from "../common/sds.ts";
import type { Lease } from "./lease.ts";

export interface SharedDataOptions {
  readonly store: Pick<McxStore, "post" | "take" | "listen">;
  readonly lease: Pick<Lease, "instance">;
  readonly clock: Clock;
  readonly faults: LastingFaults;
  /** Brings a message of another process to the clients that are bound here. */
  readonly deliver: (sds: Sds) => Promise<void>;
}

const BATCH = 64;
const TAKING = "messages of other processes";
/** Milliseconds between two looks: while the database cannot tell, and in case that a notification was lost. */
const LOOK_EVERY = 500;
const LOOK_WHILE_LISTENING = 10_000;

export class SharedData {
  readonly #options: SharedDataOptions;
  #isListening = false;
  #isStopped = false;
  #stopListening: () => Promise<void> = async () => {};
  #cancel: () => void = () => undefined;
  #taking: Promise<void> | undefined;
  #isDue = false;

  constructor(options: SharedDataOptions) {
    this.#options = options;
  }

  start(): void {
    const { store, lease } = this.#options;
    this.#stopListening = store.listen({
      posted: (instance) => {
        if (instance === lease.instance) this.#take();
      },
      state: (listening) => {
        this.#isListening = listening;
        if (listening) this.#take();
      },
    });
    this.#lookLater();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#stopListening();
    await this.#taking;
  }

  /** Rejects as the store. */
  async post(sds: Sds): Promise<void> {
    const { store, lease } = this.#options;
    // Without a lease there are no other clients that this process would know of; its own are still served.
    await store.post(lease.instance ?? "", encodeSds(sds));
  }

  #lookLater(): void {
    const { clock } = this.#options;
    const wait = this.#isListening ? LOOK_WHILE_LISTENING : LOOK_EVERY;
    this.#cancel = clock.after(wait, () => {
      this.#take();
      if (!this.#isStopped) this.#lookLater();
    });
  }

  #take(): void {
    if (this.#isStopped) return;
    this.#isDue = true;
    this.#taking ??= this.#takeAll().finally(() => {
      this.#taking = undefined;
      if (this.#isDue) this.#take();
    });
  }

  async #takeAll(): Promise<void> {
    const { store, lease, deliver, faults } = this.#options;
    this.#isDue = false;
    const { instance } = lease;
    if (instance === undefined) return;
    try {
      for (;;) {
        const messages = await store.take(instance, BATCH);
        await Promise.all(messages.map((octets) => deliver(decodeSds(octets))));
        if (messages.length < BATCH) break;
      }
      faults.succeeded(TAKING);
    } catch (error) {
      faults.failed(TAKING, error, "messages of other processes were not taken");
    }
  }
}
