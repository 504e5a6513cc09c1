/** Milliseconds between two looks at the store for what its notifications may have missed. */
export const SAFETY_MS = 10_000;

/** Milliseconds, before the draw, after which what failed once is tried again. */
export const FIRST_RETRY_MS = 1000;
