/** Every bit of a protected body changed: refused, or read as if it had not been. */
import { beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { type Part, readMultipart, writeMultipart } from "../../../documents/group-xml/multipart.ts";
import {
  type OpenedSignalling,
  openSignalling,
  sealSignalling,
} from "../../../documents/signalling-xml/index.ts";
import { flip } from "../../support/error-code.ts";
import { seededRandom } from "../../support/random.ts";
import { codeOf, infoPart, keysOf, SMALL, textOf } from "./fixtures.ts";

const random = seededRandom("flips");

let sealed: readonly Part[];

beforeAll(async () => {
  sealed = await sealSignalling([infoPart(SMALL)], keysOf().sending, { random });
});

const meaning = ({ parts }: OpenedSignalling) =>
  parts.map(({ body, signed }) => [textOf({ body } as Part), signed]);

/** Returns how many changed messages are accepted; none with another meaning, and none fails in another way. */
async function accepted(messages: Iterable<() => Part[]>): Promise<{ accepted: number; of: number }> {
  const expected = meaning(await openSignalling(sealed, keysOf()));
  const keys = keysOf();
  const count = { accepted: 0, of: 0 };
  for (const message of messages) {
    count.of++;
    let opened: OpenedSignalling;
    try {
      opened = await openSignalling(message(), keys);
    } catch (error) {
      if (!(error instanceof MikeySakkeError)) throw error;
      expect(["verification", "codec"]).toContain(error.kind);
      continue;
    }
    expect(meaning(opened)).toEqual(expected);
    count.accepted++;
  }
  return count;
}

function* flips(at: number): Generator<() => Part[]> {
  const part = sealed[at]!;
  for (let bit = 0; bit < 8 * part.body.length; bit++) {
    yield () => sealed.map((p, i) => (i === at ? { ...part, body: flip(part.body, bit) } : p));
  }
}

describe("every changed bit", () => {
  it("of an encrypted and signed part is refused", async () => {
    const { accepted: n, of } = await accepted(flips(0));
    expect(of).toBe(8 * sealed[0]!.body.length);
    // Canonical form evens out white space in tags and kinds of quotes; nothing else.
    expect(n).toBeLessThan(of / 50);
  }, 60_000);

  it("of the signatures is refused", async () => {
    const { accepted: n, of } = await accepted(flips(1));
    expect(n).toBeLessThan(of / 10);
  }, 60_000);

  it("of the header fields and boundaries around the parts is refused or leaves the parts unchanged", async () => {
    const { contentType, body } = writeMultipart(sealed);
    const within = sealed.map((part) => {
      const at = Buffer.from(body).indexOf(part.body);
      return [at, at + part.body.length] as const;
    });
    function* wire(): Generator<() => Part[]> {
      for (let bit = 0; bit < 8 * body.length; bit++) {
        if (within.some(([from, to]) => bit >> 3 >= from && bit >> 3 < to)) continue;
        yield () => readMultipart(contentType, flip(body, bit));
      }
    }
    const { of } = await accepted(wire());
    expect(of).toBeGreaterThan(2000);
  }, 60_000);

  it("of an encrypted part without a signature is refused", async () => {
    const switches = { confidentiality: true, integrity: false };
    const [alone] = await sealSignalling([infoPart(SMALL)], keysOf().sending, { random, switches });
    const [before, value, after] = textOf(alone!).split(
      /(?<=<xenc:CipherValue>)(.*)(?=<\/xenc:CipherValue>)/,
    );
    const octets = new Uint8Array(Buffer.from(value!, "base64"));
    for (let bit = 0; bit < 8 * octets.length; bit++) {
      const text = before! + Buffer.from(flip(octets, bit)).toString("base64") + after!;
      const opened = () => openSignalling([{ ...alone!, body: utf8(text) }], keysOf(), { switches });
      expect(await codeOf(opened)).toBe("verification/XML_ENCRYPTION_VALUE");
    }
  });
});
