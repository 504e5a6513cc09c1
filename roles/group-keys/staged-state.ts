/**
 * The receiver's state while one message is opened: what it would become is kept back until it can be stored together
 * with the key.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import type { KeyRecord, ReceiverState } from "../../bindings/index.ts";

type LookUp = (scope: string) => Promise<KeyRecord | undefined>;

export class StagedState implements ReceiverState {
  readonly #lookUp: LookUp;
  #staged: KeyRecord | undefined;

  /** `lookUp`: the stored record of a scope, as `recordScope` names it. */
  constructor(lookUp: LookUp) {
    this.#lookUp = lookUp;
  }

  /** Messages from a store have no replay cache: their T must be newer than the last one accepted (check 61). */
  seen(): boolean {
    return false;
  }

  async commit(
    scope: string,
    _message: unknown,
    change: (held: KeyRecord | undefined) => KeyRecord,
  ): Promise<boolean> {
    this.#staged = change(await this.#lookUp(scope));
    return true;
  }

  /** The record as the message changed it, once it was opened. */
  get record(): KeyRecord {
    if (this.#staged === undefined) {
      throw new MikeySakkeError("usage", "NOTHING_STAGED", "receiver state: no message was accepted");
    }
    return this.#staged;
  }
}
