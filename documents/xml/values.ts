/** Values as schemas define them, from text. */

/** Without white space of XML at its ends. Not by a pattern: looking for the end at each blank takes quadratic time. */
export function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isXmlSpace(text.charCodeAt(from))) from++;
  while (to > from && isXmlSpace(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isXmlSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

/** xsd:boolean, or undefined. */
export function parseBoolean(text: string): boolean | undefined {
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : undefined;
}
