/** A transcript of what was sent and received, case by case, for the report. Holds no token and no key. */

export interface Exchange {
  readonly sent: string;
  received: string;
}

/** Characters of a body that a report quotes. */
const MAX_QUOTE = 2000;

export class Transcript {
  #exchanges: Exchange[] = [];

  /** `received` is filled in when something comes. */
  sent(text: string): Exchange {
    const exchange = { sent: text, received: "nothing" };
    this.#exchanges.push(exchange);
    return exchange;
  }

  /** Notes text that came without being asked for. */
  received(text: string): void {
    this.#exchanges.push({ sent: "", received: text });
  }

  /** The exchanges since the last call. */
  take(): readonly Exchange[] {
    const taken = this.#exchanges;
    this.#exchanges = [];
    return taken;
  }
}

export function quote(text: string): string {
  return text.length <= MAX_QUOTE ? text : `${text.slice(0, MAX_QUOTE)}… (${text.length} characters)`;
}
