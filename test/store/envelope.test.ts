/** Envelope encryption: what is sealed opens with its store key, in its place and unchanged, or not at all. */
import { expect, it } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { Envelope } from "../../store/database/envelope.ts";
import { onEachDatabase } from "../support/databases.ts";
import { seededRandom } from "../support/random.ts";
import { KEK } from "./records.ts";

const OTHER_KEK = seededRandom("another store key")(32);
const SECRET = utf8("a secret");

onEachDatabase("the envelope", ({ fresh, again }) => {
  it("a value in an envelope opens, also after the envelope was opened again", async () => {
    const db = await fresh();
    const first = await Envelope.open(db, KEK);
    const sealed = first.seal("row 1", SECRET);
    expect(first.open("row 1", sealed)).toEqual(SECRET);
    expect((await Envelope.open(db, KEK)).open("row 1", sealed)).toEqual(SECRET);
    expect(first.open("", first.seal("", new Uint8Array(0)))).toEqual(new Uint8Array(0));
  });

  it("an envelope seals the same value differently each time", async () => {
    const envelope = await Envelope.open(await fresh(), KEK);
    expect(envelope.seal("row", SECRET)).not.toEqual(envelope.seal("row", SECRET));
  });

  it("an envelope does not open a value under another label, nor with any octet changed or left out", async () => {
    const envelope = await Envelope.open(await fresh(), KEK);
    const sealed = envelope.seal("row 1", SECRET);
    const refused = (label: string, octets: Uint8Array) =>
      expect(() => envelope.open(label, octets)).toThrow(
        expect.objectContaining({
          kind: "crypto",
          code: expect.stringMatching(/^STORE_(SEAL|KEY_UNKNOWN)$/),
        }),
      );
    refused("row 2", sealed);
    for (let i = 0; i < sealed.length; i++) {
      const changed = Uint8Array.from(sealed);
      changed[i]! ^= 1;
      refused("row 1", changed);
      refused("row 1", sealed.slice(0, i));
    }
  });

  it("an envelope refuses another store key", async () => {
    const db = await fresh();
    await Envelope.open(db, KEK);
    await expect(Envelope.open(db, OTHER_KEK)).rejects.toMatchObject({
      kind: "usage",
      code: "WRONG_STORE_KEY",
    });
    await expect(Envelope.open(db, KEK.subarray(1))).rejects.toMatchObject({ code: "WRONG_LENGTH" });
  });

  it("processes that start at once make one data key", async () => {
    const db = await fresh();
    const envelopes = await Promise.all([db, await again(), await again()].map((d) => Envelope.open(d, KEK)));
    const sealed = envelopes.map((e) => e.seal("row", SECRET));
    for (const envelope of envelopes) {
      for (const value of sealed) expect(envelope.open("row", value)).toEqual(SECRET);
    }
  });

  it("an envelope's rotation makes the old store key useless, keeps old values readable, and makes a new data key", async () => {
    const db = await fresh();
    const envelope = await Envelope.open(db, KEK);
    const bystander = await Envelope.open(await again(), KEK);
    const before = envelope.seal("row", SECRET);
    await envelope.rotate(OTHER_KEK);
    const after = envelope.seal("row", SECRET);
    await expect(Envelope.open(db, KEK)).rejects.toMatchObject({ code: "WRONG_STORE_KEY" });
    for (const one of [envelope, await Envelope.open(db, OTHER_KEK)]) {
      expect(one.open("row", before)).toEqual(SECRET);
      expect(one.open("row", after)).toEqual(SECRET);
    }
    // A process that was not started again reads what is old, and says what to do about what is new.
    expect(bystander.open("row", before)).toEqual(SECRET);
    expect(() => bystander.open("row", after)).toThrow(
      expect.objectContaining({ code: "STORE_KEY_UNKNOWN" }),
    );
    await expect(bystander.rotate(KEK)).rejects.toMatchObject({ code: "STORE_KEY_ROTATED" });
    expect(envelope.open("row", bystander.seal("row", SECRET))).toEqual(SECRET);
  });

  it("an envelope has no key left after destroy", async () => {
    const envelope = await Envelope.open(await fresh(), KEK);
    const sealed = envelope.seal("row", SECRET);
    envelope.destroy();
    expect(() => envelope.open("row", sealed)).toThrow(expect.objectContaining({ code: "DESTROYED" }));
    expect(() => envelope.seal("row", SECRET)).toThrow(expect.objectContaining({ code: "DESTROYED" }));
  });
});
