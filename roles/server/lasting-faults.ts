/**
 * Faults that last: what fails again and again in the same way is told once, and so is its end. Failures of the database
 * are one fault, whatever part of the server met it.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import type { ServerLog } from "./log.ts";

interface Fault {
  /** Parts of the server that met it, and have not succeeded since. */
  readonly parts: Set<string>;
  readonly code: string;
  readonly since: number;
  failures: number;
}

const DATABASE = "database";

export class LastingFaults {
  readonly #log: ServerLog;
  readonly #now: () => number;
  readonly #faults = new Map<string, Fault>();

  constructor(log: ServerLog, now: () => number = Date.now) {
    this.#log = log;
    this.#now = now;
  }

  /** `part` is a name out of a small set; it is what `succeeded` gets when the same thing works. */
  failed(part: string, error: unknown, text: string, facts: object = {}): void {
    const { code, message } = factsOf(error);
    const name = isDatabaseFault(error) ? DATABASE : part;
    const fault = this.#faults.get(name);
    if (fault !== undefined && (name === DATABASE || fault.code === code)) {
      fault.parts.add(part);
      fault.failures++;
      this.#log.debug({ ...facts, code }, text);
      return;
    }
    this.#faults.set(name, { parts: new Set([part]), code, since: this.#now(), failures: 1 });
    this.#log.error({ ...facts, code, message }, text);
  }

  succeeded(part: string): void {
    for (const [name, fault] of this.#faults) {
      if (!fault.parts.delete(part) || fault.parts.size > 0) continue;
      this.#faults.delete(name);
      const seconds = Math.round((this.#now() - fault.since) / 1000);
      this.#log.info({ code: fault.code, seconds, failures: fault.failures }, `${name}: it works again`);
    }
  }
}

/** Returns whether the database is lost, slow or out of room: nothing that this part could do otherwise. */
function isDatabaseFault(error: unknown): boolean {
  return error instanceof MikeySakkeError && error.kind === "transport" && error.code.startsWith("STORE_");
}

/** Reduces foreign errors to their class, because their messages may quote anything. */
function factsOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof MikeySakkeError) return { code: error.code, message: error.message };
  return { code: "INTERNAL", message: error instanceof Error ? error.name : typeof error };
}
