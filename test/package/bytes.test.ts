/** Octets as text. */
import { expect, it } from "vitest";
import { fromHex, toHex } from "../../base/bytes.ts";
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
