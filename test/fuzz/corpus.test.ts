/** The inputs that `npm run fuzz` begins with, once each: among them are all that ever broke a parser. */
import { describe, expect, it } from "vitest";
import { readCorpus } from "./corpus.ts";
import { TARGETS } from "./targets.ts";

const MOST_OCTETS = 64 << 10;

describe.each(Object.keys(TARGETS))("the fuzz corpus of %s", (name) => {
  const corpus = readCorpus(name);

  it("is small, and not empty", () => {
    const octets = corpus.reduce((sum, input) => sum + input.octets.length, 0);
    expect(octets).toBeGreaterThan(0);
    expect(octets).toBeLessThan(MOST_OCTETS);
  });

  it.each(corpus.map((input) => [input.name, input.octets] as const))(
    "is handled as required: %s",
    (_, octets) => {
      TARGETS[name]!.run(octets);
    },
  );
});
