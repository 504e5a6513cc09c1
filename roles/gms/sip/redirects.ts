/**
 * KMS Redirect Responses (TS 33.180 5.2.8, D.2.8): the member's KMS was not the right one. Where the Home KMS permits one
 * of those proposed, the member is keyed by it from then on, and its message is made again.
 */

import { MikeySakkeError } from "../../../base/errors.ts";
import { SerialQueue } from "../../../base/serial-queue.ts";
import type { GktpRecord } from "../../../store/gms/records.ts";
import { loggable } from "../common/errors.ts";
import type { GmsContext } from "../common/ports.ts";
import { distributeAgain } from "../planner/messages.ts";

/** Rounds for one member and one rekey; 5.2.8 sets no bound. */
const MAX_ROUNDS = 3;
/** That wait for the Home KMS; more are refused. */
const MAX_WAITING = 256;

const CAUSE = "KMS redirect";
const ROUND = new RegExp(`^${CAUSE} (\\d)$`);

export class Redirects {
  readonly #context: GmsContext;
  readonly #queue = new SerialQueue();
  #waiting = 0;

  constructor(context: GmsContext) {
    this.#context = context;
  }

  /** Resolves to what became of it, in words. Does not reject. One after the other, as each is a call to the KMS. */
  follow(message: GktpRecord, proposed: readonly string[]): Promise<string> {
    if (this.#waiting >= MAX_WAITING) return Promise.resolve("too many KMS redirects at a time");
    this.#waiting++;
    return this.#queue.run(async () => {
      try {
        return await this.#follow(message, proposed);
      } catch (err) {
        this.#context.log.warn(
          { ...loggable(err), rekey: message.rekey },
          "a KMS redirect could not be followed",
        );
        return `KMS redirect failed: ${err instanceof MikeySakkeError ? err.code : "internal error"}`;
      } finally {
        this.#waiting--;
      }
    });
  }

  async #follow({ rekey, memberUri, kind }: GktpRecord, proposed: readonly string[]): Promise<string> {
    const { store, keys, admin: _, ...deps } = this.#context;
    const record = await store.rekey(rekey);
    if (record === undefined || record.state === "superseded") return "superseded";
    const round = roundOf(record.cause) + 1;
    if (round > MAX_ROUNDS) return `${MAX_ROUNDS} KMS redirects came to nothing`;
    const permitted = await keys.redirect(proposed);
    const done = await store.change(async (tx) => {
      const member = (await tx.members(record.groups)).find(({ uri }) => uri === memberUri);
      if (member === undefined) return "no member any more";
      const kmsUri = permitted.find((uri) => uri !== member.kmsUri);
      if (kmsUri === undefined) return "no KMS of the KMS redirect is permitted";
      const gmk = await tx.gmk(record.gmk);
      if (gmk === undefined) return "superseded";
      await tx.setKms(memberUri, kmsUri);
      const why = { cause: `${CAUSE} ${round}`, actor: memberUri };
      const { traceparent } = record;
      const planDeps = { ...deps, keys, traceparent };
      const [again] = await distributeAgain(tx, planDeps, kind, gmk, [{ ...member, kmsUri }], why);
      return `sent again for ${kmsUri} in rekey ${again}`;
    });
    this.#context.planned();
    return done;
  }

  /** Waits for those under way. */
  async close(): Promise<void> {
    await this.#queue.settled();
  }
}

function roundOf(cause: string): number {
  const match = ROUND.exec(cause);
  return match === null ? 0 : Number(match[1]);
}
