/**
 * URIs that people take for one another: they differ in upper and lower case, in percent-encoding, or in letters of other
 * scripts that look the same. TS 33.180 F.2.1 hashes a URI octet for octet, so each of them is somebody else.
 */

/** Letters of Greek and Cyrillic with the Latin ones that they look like (Unicode TR 39, the everyday part of its table). */
const LATIN: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: "аα",
    b: "Ьв",
    c: "сϲ",
    d: "ԁ",
    e: "её",
    g: "ɡ",
    h: "һн",
    i: "іιı",
    j: "јϳ",
    k: "кκ",
    l: "ӏ",
    m: "м",
    n: "пη",
    o: "оοσ",
    p: "рρ",
    q: "ԛ",
    r: "г",
    s: "ѕ",
    t: "тτ",
    u: "υц",
    v: "νѵ",
    w: "ԝω",
    x: "хχ",
    y: "уγү",
    z: "ζ",
  }).flatMap(([latin, others]) => [...others].map((other) => [other, latin] as const)),
);

/** Returns what a URI looks like: those with one skeleton are taken for each other. */
export function skeletonOf(uri: string): string {
  const plain = decoded(uri).normalize("NFKC").toLowerCase();
  return [...plain].map((letter) => LATIN.get(letter) ?? letter).join("");
}

function decoded(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}

/** With what is not ASCII spelled out, so that no two look alike. */
export function spelledOut(uri: string): string {
  return uri.replace(/[^\x21-\x7e]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

/** One sentence for each of `uris` that has letters beyond ASCII, or looks like another one or one of `known`. */
export function lookAlikeWarnings(uris: readonly string[], known: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const uri of known) seen.set(skeletonOf(uri), uri);
  const warnings: string[] = [];
  for (const uri of uris) {
    const skeleton = skeletonOf(uri);
    const other = seen.get(skeleton);
    if (other !== undefined && other !== uri)
      warnings.push(`${spelledOut(uri)} looks like ${spelledOut(other)}`);
    else if (spelledOut(uri) !== uri) warnings.push(`${spelledOut(uri)} has characters beyond ASCII`);
    seen.set(skeleton, uri);
  }
  return warnings;
}
