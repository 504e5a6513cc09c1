/** Values that are there at once where the platform's AES works at once (Node.js), and promises elsewhere (browsers). */
export type MaybePromise<T> = T | Promise<T>;

/** Goes on at once with a value, later with a promise. */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
