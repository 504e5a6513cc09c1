/** Milliseconds between two looks at the store for what its notifications may have missed. */
export const SAFETY_MS = 10_000;
