/** An object whose fields may be undefined as one in which such fields are absent, as `exactOptionalPropertyTypes` has it. */
export type Defined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** `value` without the fields that are undefined, which optional fields of our types must not be. */
export function defined<const T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}

/** Returns what `read` makes of a value, or undefined where there is none. */
export function ifDefined<V, R, Rest extends readonly unknown[]>(
  value: V | undefined,
  read: (value: V, ...rest: Rest) => R,
  ...rest: Rest
): R | undefined {
  return value === undefined ? undefined : read(value, ...rest);
}
