/** Emergency calls as operators see them: who has called, and which operator has acknowledged it. */
import type { ConsoleBackend } from "./backend.ts";
import type { AlarmView } from "./messages.ts";

export interface AlarmsOptions {
  readonly mcx: ConsoleBackend["mcx"];
  /** All alarms, whenever one comes or is acknowledged. */
  readonly tell: (alarms: readonly AlarmView[]) => void;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

export class Alarms {
  readonly #options: AlarmsOptions;
  readonly #acknowledged = new Map<number, AlarmView["acknowledged"]>();
  readonly #off: () => void;

  constructor(options: AlarmsOptions) {
    this.#options = options;
    this.#off = options.mcx?.onEmergency(() => options.tell(this.list())) ?? (() => {});
  }

  /** The oldest first. */
  list(): readonly AlarmView[] {
    const emergencies = this.#options.mcx?.emergencies() ?? [];
    return emergencies.map((one) => {
      const acknowledged = this.#acknowledged.get(one.id);
      return acknowledged === undefined ? one : { ...one, acknowledged };
    });
  }

  /** False: there is no such emergency. The first operator who acknowledges it stays named. */
  acknowledge(id: number, actor: string): boolean {
    const { mcx, now, tell } = this.#options;
    const known = new Set((mcx?.emergencies() ?? []).map((one) => one.id));
    if (!known.has(id)) return false;
    for (const old of this.#acknowledged.keys()) if (!known.has(old)) this.#acknowledged.delete(old);
    if (this.#acknowledged.has(id)) return true;
    this.#acknowledged.set(id, { by: actor, at: now() });
    tell(this.list());
    return true;
  }

  close(): void {
    this.#off();
  }
}
