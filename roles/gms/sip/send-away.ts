/**
 * A server that stops ends its subscriptions with "deactivated": the subscribers come back at once, to another server
 * (RFC 6665 4.1.3). Those that are told nothing find out by their keep-alives.
 */
import { type Clock, orLate } from "../../../base/clock.ts";
import type { Subscriber } from "./subscriber.ts";

export interface SendAwayOptions {
  readonly clock: Clock;
  /** NOTIFYs without an answer at a time, so that the others are not flooded with those who come back. */
  readonly most: number;
  /** How long it may take. */
  readonly milliseconds: number;
}

/** Resolves to the number of those whose answer did not come in time. */
export async function sendAway(
  subscribers: readonly Subscriber[],
  { clock, most, milliseconds }: SendAwayOptions,
): Promise<number> {
  const waiting = subscribers.filter(({ over }) => !over);
  let answered = 0;
  let isOver = false;
  const all = waiting.length;
  const one = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined && !isOver; next = waiting.pop()) {
      await next.link.terminate("deactivated");
      answered++;
    }
  };
  await orLate(Promise.all(Array.from({ length: Math.min(most, all) }, one)), clock, milliseconds);
  isOver = true;
  return all - answered;
}
