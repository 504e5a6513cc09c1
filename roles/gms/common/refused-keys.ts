/** The words in which command and console say what became of the keys of a lost user. */

/** Says what the other members do with the keys that the user held. */
export function refusedKeys(count: number): string {
  if (count === 0) return "this user held no key";
  const keys = count === 1 ? "the one key" : `the ${count} keys`;
  return `every other member refuses ${keys} that this user held`;
}
