import { ntpFromUnixMs } from "../../bindings/identity/ntp.ts";
import { onceIn } from "../server/once-in.ts";
import type { GmsContext } from "./common/ports.ts";

/** However often it is asked, the store is written to once in so many milliseconds. */
const ASKED_EVERY = 1000;

/**
 * Returns a check of whether this process can do what a GMS is for: it has the keys of the present key period, the
 * clocks are right, and what it writes is kept.
 *
 * @throws MikeySakkeError transport `CLOCK_OFF`, `CLOCK_AHEAD`, `STORE_…`; usage `NO_SIGNING_KEY`
 */
export function readiness({
  store,
  keys,
  clock,
}: Pick<GmsContext, "store" | "keys" | "clock">): () => Promise<void> {
  const requireStore = onceIn(ASKED_EVERY, async () => {
    await store.ready();
    await clock.measure();
    await store.requireClock(keys.current().initiator.uri);
  });
  return async () => {
    clock.requireRight();
    await requireStore();
    clock.requireRight();
    keys.current().initiator.keyAt(ntpFromUnixMs(clock.now()));
  };
}
