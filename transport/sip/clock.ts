/** The clock of the machine. Its timers do not keep a Node.js process alive; sockets do. */
import type { Clock } from "./ports.ts";

/** setTimeout counts milliseconds in 31 bits; a longer time runs in parts. */
const LONGEST = 0x7fff_ffff;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, run) {
    let handle: ReturnType<typeof setTimeout>;
    const wait = (left: number): void => {
      handle = setTimeout(() => (left > LONGEST ? wait(left - LONGEST) : run()), Math.min(left, LONGEST));
      // Node.js gives an object, a browser a number.
      if (typeof handle === "object") handle.unref();
    };
    wait(milliseconds);
    return () => clearTimeout(handle);
  },
};
