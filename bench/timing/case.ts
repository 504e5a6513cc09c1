/** A case of the timing test: one routine on inputs of two classes. */

export type Kind =
  /** Shipped code on secrets: no difference may show. */
  | "shipped"
  /** Two classes drawn the same way: if a difference shows, the test itself is broken. */
  | "control"
  /** Code made to leak: if no difference shows, the test is blind. */
  | "leaky";

/** 0 or 1. */
export type Class = 0 | 1;

export interface Case {
  readonly kind: Kind;
  readonly name: string;
  readonly classes: readonly [string, string];
  /** Puts another input of a class in place. The same work and the same addresses for both; not timed. */
  readonly set: (choice: Class) => void;
  readonly run: () => void;
}

/** Inputs of one class to choose from. */
export type Pool<T> = readonly T[];

/** Takes the pools in turn, so that both classes come from as many places in memory. */
export function chooser<T>(pools: readonly [Pool<T>, Pool<T>], place: (value: T) => void): Case["set"] {
  let turn = 0;
  return (choice) => {
    const pool = pools[choice];
    place(pool[turn++ % pool.length]!);
  };
}

/** `count` values of `make`. */
export function pool<T>(count: number, make: (index: number) => T): Pool<T> {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** As many copies of one value, each in its own place. */
export function copies(count: number, value: Uint8Array): Pool<Uint8Array> {
  return pool(count, () => value.slice());
}
