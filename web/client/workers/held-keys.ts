/** Keys that the other worker has, as they were told here: no key ring, a copy of what one of it holds now. */
import type { KeyId } from "../../../bindings/index.ts";
import { DeliveredKey } from "../../../bindings/mikey/delivered-key.ts";
import type { ControlKeys } from "../../../roles/call/control-keys.ts";
import { ControlStreams } from "../../../roles/call/control-streams.ts";
import type { PlainKey } from "../messages.ts";

export class KeyCopies {
  #keys: DeliveredKey[] = [];
  #sending: number | undefined;

  /** Takes over the octets. Keys that stay are the same objects as before. */
  set(keys: readonly PlainKey[], sending: number | undefined = keys[0]?.keyId): void {
    const before = this.#keys;
    this.#sending = sending;
    this.#keys = keys.map((plain) => {
      const { keyId, ukId } = plain;
      const known = before.find((held) => held.keyId === keyId && held.ukId === ukId);
      if (known === undefined) return deliveredKey(plain);
      plain.key.fill(0);
      return known;
    });
    for (const old of before) if (!this.#keys.includes(old)) old.destroy();
  }

  sending(): DeliveredKey | undefined {
    return this.#keys.find(({ keyId }) => keyId === this.#sending);
  }

  receiving(keyId: KeyId): DeliveredKey | undefined {
    return this.#keys.find((key) => key.keyId === keyId);
  }
}

/** Copies of the keys of control signalling. */
export class ControlKeyCopies extends KeyCopies implements ControlKeys {
  readonly streams = new ControlStreams();
}

/** Takes over the octets. */
export function deliveredKey({ key, kind, keyId, ukId, rand }: PlainKey): DeliveredKey {
  const ids = { keyId: keyId as KeyId, ukId: ukId as KeyId };
  return new DeliveredKey(key, { kind: kind as DeliveredKey["kind"], ...ids, rand });
}

export function plainKey(key: DeliveredKey): PlainKey {
  const { kind, keyId, ukId, rand } = key;
  return { kind, keyId, ukId, rand: rand.slice(), key: key.reveal() };
}
