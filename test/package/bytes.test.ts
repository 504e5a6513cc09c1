/** Octets as text, and put together. */
import { expect, it } from "vitest";
import { concatAll, fromHex, toHex } from "../../base/bytes.ts";
import { OctetBuffer } from "../../base/octet-buffer.ts";
import { readAll } from "../../transport/http/body.ts";
import { errorCode } from "../support/error-code.ts";

const ALL = Uint8Array.from({ length: 256 }, (_, i) => i);

it("hexadecimal of every octet is read back, in both cases of its letters", () => {
  expect(toHex(ALL)).toBe(Buffer.from(ALL).toString("hex"));
  expect(fromHex(toHex(ALL))).toEqual(ALL);
  expect(fromHex(toHex(ALL).toUpperCase())).toEqual(ALL);
  expect(fromHex("")).toEqual(new Uint8Array());
});

it.each(["0", "0g", "g0", "0:", "/0", "@0", "`0", "00 ", "é0"])("%j is no hexadecimal", (text) => {
  expect(errorCode(() => fromHex(text))).toBe("usage/BAD_HEX");
});

/** More than a list of arguments has room for. */
const MANY = 150_000;

it("any number of parts is put together", async () => {
  const parts = Array.from({ length: MANY }, (_, i) => Uint8Array.of(i));
  const all = concatAll(parts);
  expect([all.length, all.at(-1)]).toEqual([MANY, (MANY - 1) & 255]);
  let next = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = parts[next++];
      if (part === undefined) controller.close();
      else controller.enqueue(part);
    },
  });
  expect(await readAll(stream, MANY, "KMS_ANSWER_TOO_LARGE")).toEqual(all);
});

it("a buffer takes at most twice the octets that have come, and wipes what it leaves behind", () => {
  const buffer = new OctetBuffer();
  const first = Uint8Array.of(1, 2, 3);
  buffer.add(first);
  const before = buffer.octets;
  expect([before, buffer.capacity]).toEqual([first, 512]);
  buffer.add(new Uint8Array(600).fill(4));
  expect([buffer.length, buffer.octets[0], buffer.capacity]).toEqual([603, 1, 1024]);
  expect(before).toEqual(new Uint8Array(3));
  const { octets } = buffer;
  buffer.wipe();
  expect([octets.every((octet) => octet === 0), buffer.length, buffer.capacity]).toEqual([true, 0, 0]);
});
