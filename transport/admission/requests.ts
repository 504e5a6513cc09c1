/** The octets of requests without proof: those that are being checked, and the answers kept for copies of them. */

/** The part that one request takes of the budget. */
export interface RequestCharge {
  /** It has its answer, of which that many octets are kept for copies. `drop` forgets it, when it has to make room. */
  keep(octets: number, drop: () => void): void;
  /** It is forgotten, or has proof. */
  release(): void;
}

export class RequestBudget {
  readonly limit: number;
  readonly #changed: () => void;
  readonly #refused: () => void;
  /** Kept answers, in the order in which they were given. */
  readonly #kept = new Set<Charge>();
  #octets = 0;

  constructor(limit: number, events: { readonly changed: () => void; readonly refused: () => void }) {
    this.limit = limit;
    this.#changed = events.changed;
    this.#refused = events.refused;
  }

  get octets(): number {
    return this.#octets;
  }

  /** Undefined when the requests that are being checked leave no room for one of that size. */
  take(octets: number): RequestCharge | undefined {
    while (this.#octets + octets > this.limit && this.#kept.size > 0)
      this.#kept.values().next().value!.drop();
    if (this.#octets + octets > this.limit) {
      this.#refused();
      return undefined;
    }
    return new Charge(this, octets);
  }

  /** Adds octets, or takes them away. */
  change(octets: number): void {
    this.#octets += octets;
    this.#changed();
  }

  keep(charge: Charge): void {
    this.#kept.add(charge);
    while (this.#octets > this.limit && this.#kept.size > 0) this.#kept.values().next().value!.drop();
  }

  forget(charge: Charge): void {
    this.#kept.delete(charge);
  }
}

class Charge implements RequestCharge {
  readonly #budget: RequestBudget;
  #octets: number;
  #drop: (() => void) | undefined;

  constructor(budget: RequestBudget, octets: number) {
    this.#budget = budget;
    this.#octets = octets;
    budget.change(octets);
  }

  keep(octets: number, drop: () => void): void {
    this.#budget.change(octets - this.#octets);
    this.#octets = octets;
    this.#drop = drop;
    this.#budget.keep(this);
  }

  drop(): void {
    const drop = this.#drop;
    this.release();
    drop?.();
  }

  release(): void {
    this.#budget.forget(this);
    this.#budget.change(-this.#octets);
    this.#octets = 0;
  }
}
