/** Tells of keys that become active or expire, and has the ring wipe those that are long over. */
import type { Clock } from "../../transport/sip/index.ts";
import type { Tell } from "./events.ts";
import type { GroupKeyState } from "./group-key.ts";
import type { GroupKeyRing } from "./group-key-ring.ts";

/** The clock is looked at this often, since it may be set, and a machine that slept has late timers. */
const NAP_MS = 600_000;

export class KeyWatch {
  readonly #ring: GroupKeyRing;
  readonly #parts: { readonly clock: Clock; readonly now: () => number; readonly tell: Tell };
  readonly #states = new Map<number, GroupKeyState>();
  #cancel: () => void = () => undefined;
  #unlisten: (() => void) | undefined;

  constructor(ring: GroupKeyRing, parts: { clock: Clock; now: () => number; tell: Tell }) {
    this.#ring = ring;
    this.#parts = parts;
  }

  start(): void {
    if (this.#unlisten !== undefined) return;
    for (const { gmkId, state } of this.#ring.keys()) this.#states.set(gmkId, state);
    this.#unlisten = this.#ring.onChange(({ type, key }) => {
      this.#states.set(key.gmkId, key.state);
      this.#parts.tell({ type: "key", change: type, key });
      this.#wait();
    });
    this.#prune();
    this.#wait();
  }

  stop(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#cancel();
  }

  #wait(): void {
    this.#cancel();
    const next = this.#ring.nextChange();
    const left = next === undefined ? NAP_MS : Math.max(0, next - this.#parts.now());
    this.#cancel = this.#parts.clock.after(Math.min(left, NAP_MS), () => this.#wake());
  }

  #wake(): void {
    for (const key of this.#ring.keys()) {
      const before = this.#states.get(key.gmkId);
      this.#states.set(key.gmkId, key.state);
      if (before !== key.state) this.#parts.tell({ type: "key-state", key });
    }
    this.#prune();
    this.#wait();
  }

  #prune(): void {
    const { tell } = this.#parts;
    this.#ring.prune().catch((error: unknown) => tell({ type: "failed", error, retryAt: undefined }));
  }
}
