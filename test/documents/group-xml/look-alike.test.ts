/** URIs of groups and users have a scheme, and those that look alike are told. */
import { expect, it } from "vitest";
import { isServiceId, lookAlikeWarnings, spelledOut } from "../../../documents/group-xml/index.ts";

const ALICE = "sip:alice@example.org";

it.each([ALICE, "sips:a@b", "SIP:a@b", "tel:+4512345678"])("%s is a URI of an MC service", (uri) => {
  expect(isServiceId(uri)).toBe(true);
});

it.each([
  "__proto__",
  "constructor",
  "alice",
  "alice@example.org",
  "mailto:a@b",
  "sip:",
  "tel:",
  "",
  "sip:a b",
  7,
])("%s is no URI of an MC service", (uri) => {
  expect(isServiceId(uri)).toBe(false);
});

it.each([
  "sip:ALICE@EXAMPLE.ORG",
  "sip:\u0430lice@example.org",
  "sip:%61lice@example.org",
  "sip:\uff41lice@example.org",
])("%s looks like Alice", (uri) => {
  expect(lookAlikeWarnings([uri], [ALICE])).toEqual([`${spelledOut(uri)} looks like ${ALICE}`]);
  expect(lookAlikeWarnings([ALICE, uri], [])).toHaveLength(1);
});

it("a URI that looks like another is shown spelled out only where it has letters beyond ASCII", () => {
  expect(lookAlikeWarnings([ALICE, "sip:bob@example.org"], [ALICE])).toEqual([]);
  expect(lookAlikeWarnings(["sip:jürgen@example.org"], [])).toEqual([
    "sip:j\\u{fc}rgen@example.org has characters beyond ASCII",
  ]);
  expect(spelledOut("sip:\u{1f600}@b")).toBe("sip:\\u{1f600}@b");
});
