/**
 * Bad messages and peers that were turned away, in the log: the first of each reason in a minute as they come, the rest
 * as one count. Anybody can send such a thing, so that a line for each would fill the disk.
 */
import type { Clock, SipLog } from "../../transport/sip/index.ts";
import type { ServerLog } from "./log.ts";

const WINDOW_MS = 60_000;
const LINES_PER_REASON = 3;
/** Reasons are our own or those of Node.js, and few. */
const MAX_REASONS = 64;
/** Source addresses that are told apart in a count. */
const MAX_SOURCES = 1000;
/** Characters of a detail. */
const MAX_DETAIL = 200;

export interface Refused {
  /** A code. */
  readonly reason: string;
  /** As in a Via header field, or HTTP or HTTPS. */
  readonly transport: string;
  /** The address that it came from. */
  readonly source: string;
  /** More about it. It may quote the peer, so that no more than its beginning is told. */
  readonly detail?: string | undefined;
}

interface Count {
  seen: number;
  readonly sources: Set<string>;
}

export class RefusedLog {
  readonly #log: ServerLog;
  readonly #clock: Pick<Clock, "after">;
  readonly #counts = new Map<string, Count>();

  constructor(log: ServerLog, clock: Pick<Clock, "after">) {
    this.#log = log;
    this.#clock = clock;
  }

  note(refused: Refused): void {
    const reason = this.#counts.size < MAX_REASONS ? refused.reason : "other";
    if (this.#counts.size === 0) this.#clock.after(WINDOW_MS, () => this.#sum());
    const count = this.#counts.get(reason) ?? { seen: 0, sources: new Set() };
    this.#counts.set(reason, count);
    count.seen++;
    if (count.seen <= LINES_PER_REASON) this.#log.warn(lineOf(refused), "refused");
    else if (count.sources.size < MAX_SOURCES) count.sources.add(refused.source);
  }

  #sum(): void {
    for (const [reason, { seen, sources }] of this.#counts) {
      const suppressed = seen - LINES_PER_REASON;
      if (suppressed > 0)
        this.#log.warn({ reason, suppressed, sources: sources.size }, "refused, more of the same");
    }
    this.#counts.clear();
  }
}

function lineOf({ detail, ...facts }: Refused): object {
  return detail === undefined ? facts : { ...facts, detail: detail.slice(0, MAX_DETAIL) };
}

/** The log of an endpoint, whose refusals are of interest at the usual level. */
export function sipLog(log: ServerLog, refused: RefusedLog): SipLog {
  return (event, details) => {
    if (event !== "sip-malformed" && event !== "sip-refused") log.debug(details, event);
    else {
      const { code, transport, remote } = details;
      refused.note({ reason: String(code), transport: String(transport), source: String(remote) });
    }
  };
}
