/**
 * The time that all processes on a database go by is the database's. A process knows it without asking: it reads it from
 * time to time and counts on by a clock that nobody sets. So it also knows at any moment whether the clock of its own
 * host is wrong, which says that one of the two is, and that nobody can tell which.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import type { ServerLog } from "./log.ts";

export interface DatabaseClockOptions {
  /** Asks the database: milliseconds since the Unix epoch. */
  readonly read: () => Promise<number>;
  /** The host's clock. */
  readonly host: () => number;
  /** Milliseconds since any moment, of a clock that is never set; that of the system when absent. */
  readonly steady?: () => number;
  /** Milliseconds that the two may differ by. */
  readonly tolerance: number;
  readonly log: ServerLog;
}

export class DatabaseClock {
  readonly #options: DatabaseClockOptions;
  readonly #steady: () => number;
  /** The database's time minus the steady clock's; undefined before the first reading. */
  #offset: number | undefined;
  #isOff = false;

  constructor(options: DatabaseClockOptions) {
    this.#options = options;
    this.#steady = options.steady ?? (() => performance.now());
  }

  /** Milliseconds since the Unix epoch by the database's clock; by the host's before it was read. */
  readonly now = (): number => {
    if (this.#offset === undefined) return this.#options.host();
    return Math.round(this.#steady() + this.#offset);
  };

  /** Reads the database's clock. */
  async measure(): Promise<void> {
    const before = this.#steady();
    const time = await this.#options.read();
    // It was read at some moment meanwhile. What was known stays unless that contradicts it, as a slow reading tells little.
    const [least, most] = [time - this.#steady(), time - before];
    this.#offset = Math.min(Math.max(this.#offset ?? (least + most) / 2, least), most);
    this.isRight();
  }

  /** Milliseconds that the host's clock is ahead of the database's. */
  get ahead(): number {
    return this.#options.host() - this.now();
  }

  /** Tells the log when that begins or ends. */
  isRight(): boolean {
    const { ahead } = this;
    const isOff = Math.abs(ahead) > this.#options.tolerance;
    if (isOff !== this.#isOff) {
      this.#isOff = isOff;
      const facts = { secondsAhead: ahead / 1000 };
      if (isOff) this.#options.log.error(facts, "the clock of this host and that of the database differ");
      else this.#options.log.info(facts, "the clocks of this host and of the database agree again");
    }
    return !isOff;
  }

  /** Transport error CLOCK_OFF. */
  requireRight(): void {
    if (this.isRight()) return;
    const seconds = Math.round(this.ahead / 1000);
    const relation = seconds > 0 ? `${seconds} s ahead of` : `${-seconds} s behind`;
    const text = `the clock of this host is ${relation} the database's; nothing is done before they agree (is NTP running on both?)`;
    throw new MikeySakkeError("transport", "CLOCK_OFF", text);
  }
}
