/** A clock that does not jump when that of the machine is set, and whose timers keep the process alive. */
import type { Clock } from "../../base/clock.ts";

export const monotonicClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
};
