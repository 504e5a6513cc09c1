import fc from "fast-check";
import type { GktpEntry } from "../../../documents/group-xml/index.ts";

const isText = (c: string) => c >= " " && !/[\ufffe\uffff\p{Surrogate}]/u.test(c);

/** Text that XML can carry and that comes back as it was: no white space at the ends. */
export const text = fc
  .string({ unit: "binary", maxLength: 20 })
  .map((s) => [...s].filter(isText).join("").trim());

export const uri = text.map((s) => `sip:${s}@example.org`);

export const octets = fc.uint8Array({ minLength: 1, maxLength: 60 });

export const entry: fc.Arbitrary<GktpEntry> = fc.record(
  {
    id: text,
    activationTime: fc.integer({ min: 0, max: 4e12 }),
    octets,
    temporaryGroup: uri,
  },
  { requiredKeys: ["id", "octets"] },
);

/** GKTP entries without a temporary group. */
export const ordinary: fc.Arbitrary<GktpEntry> = entry.map(({ temporaryGroup: _, ...rest }) => rest);
