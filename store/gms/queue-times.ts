/**
 * Places in a queue that is an index on a time. What comes new has a time long past, which grows by a second with each
 * place of its rekey: place n of every rekey comes before place n + 1 of any of about the same age, so that a small
 * rekey does not wait for a large one. What is tried again has the time of that try, and takes turns with what is new.
 */

/** Milliseconds that what is new lies back: more than the places of the largest rekey add. */
const BACK = 1_000_000_000;
const PLACE = 1000;

/** SQL: time of place `place` of what comes new. */
export const freshAt = (now: string, place: string): string =>
  `(${now} - ${BACK} + (${place})::bigint * ${PLACE})`;

/** SQL: whether a time is that of something new. */
export const isFresh = (now: string, column: string): string => `${column} <= ${now} - ${BACK / 2}`;
/** SQL: whether it is that of another try, whose time has come. */
export const isAgain = (now: string, column: string): string =>
  `${column} > ${now} - ${BACK / 2} AND ${column} <= ${now}`;
