/** Short data for the clients of the other processes, by way of the database, where they lie sealed until they are taken. */

import { fromHex, fromUtf8, toHex, utf8 } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import type { McxStore } from "../../../store/index.ts";
import type { Clock } from "../../../transport/sip/index.ts";
import type { LastingFaults } from "../../server/lasting-faults.ts";
import type { Lease } from "./lease.ts";

/** A message that a server brings to the members of a group or to one user: short data, or the notice of a file. */
export interface Sds {
  /** Undefined where one user has sent it to another, outside of any group. */
  readonly group?: string;
  /** The only one that it is for: a member of the group, or any user. */
  readonly to?: string;
  readonly sender: string;
  /** In clear. */
  readonly signalling: Uint8Array;
  /** Empty where the signalling says all. */
  readonly payload: Uint8Array;
  /** The I_MESSAGE with the key of two users. */
  readonly mikey?: Uint8Array;
}

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
    await store.post(lease.instance ?? "", encode(sds));
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
        await Promise.all(messages.map((octets) => deliver(decode(octets))));
        if (messages.length < BATCH) break;
      }
      faults.succeeded(TAKING);
    } catch (error) {
      faults.failed(TAKING, error, "messages of other processes were not taken");
    }
  }
}

function encode({ group, to, sender, signalling, payload, mikey }: Sds): Uint8Array {
  const octets = { signalling: toHex(signalling), payload: toHex(payload), mikey: mikey && toHex(mikey) };
  return utf8(JSON.stringify({ group, to, sender, ...octets }));
}

function decode(octets: Uint8Array): Sds {
  const { group, to, sender, signalling, payload, mikey } = JSON.parse(fromUtf8(octets)) as Record<
    "sender" | "signalling" | "payload",
    string
  > &
    Partial<Record<"group" | "to" | "mikey", string>>;
  return {
    ...defined({ group, to, mikey: mikey === undefined ? undefined : fromHex(mikey) }),
    sender,
    signalling: fromHex(signalling),
    payload: fromHex(payload),
  };
}
