/** Tests what no reader of group management takes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isGmopGetExcludingMembers,
  parseNodeSelector,
  readConferenceInfo,
  readGktpDocument,
  readGktpReport,
  readGroupDocument,
  readKrr,
  readMcpttInfo,
  readResourceLists,
  readXcapDiff,
  readXcapError,
  select,
  writeConferenceInfo,
  writeGktpDocument,
  writeGktpReport,
  writeGmopRequest,
  writeGroupDocument,
  writeKrr,
  writeMcpttInfo,
  writeResourceLists,
  writeXcapDiff,
  writeXcapError,
} from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";

const entry = { id: "sip:a@x", octets: Uint8Array.of(1, 26, 5), activationTime: 0 };
const selector = parseNodeSelector("*/*", "", "");

/** Readers, each with a document that it takes. */
const READERS: [string, (document: string | Uint8Array) => unknown, string][] = [
  ["GKTP", readGktpDocument, writeGktpDocument([entry, { ...entry, temporaryGroup: "sip:t" }])],
  [
    "xcap-diff",
    readXcapDiff,
    writeXcapDiff({ xcapRoot: "x", documents: [{ sel: "d", patches: [{ add: entry }, { remove: 1 }] }] }),
  ],
  [
    "group",
    readGroupDocument,
    writeGroupDocument({
      uri: "sip:g@x",
      displayName: "g",
      members: [{ uri: "sip:a@x" }],
      services: ["mcptt"],
      unprotected: ["protect-media"],
    }),
  ],
  [
    "conference-info",
    readConferenceInfo,
    writeConferenceInfo({
      entity: "sip:g@x",
      state: "partial",
      version: 1,
      users: [
        { uri: "sip:a@x", isPresent: true },
        { uri: "sip:b@x", isPresent: false },
      ],
    }),
  ],
  ["resource-lists", readResourceLists, writeResourceLists(["a", "b"])],
  ["mcptt-info", readMcpttInfo, writeMcpttInfo({ accessToken: "t" })],
  ["GMOP", isGmopGetExcludingMembers, writeGmopRequest()],
  ["xcap-error", readXcapError, writeXcapError({ condition: "no-parent", ancestor: "a" })],
  ["report", readGktpReport, writeGktpReport([{ sha256: "00".repeat(32), result: "stored" }])],
  ["KRR", readKrr, writeKrr({ proposedKmsUris: ["a"] })],
  ["node selector", (document) => select(document, selector), writeResourceLists(["a"])],
];

describe.each(READERS)("the reader of %s documents", (_, read, valid) => {
  const root = /<([\w-]+) ?[^?>]*>/.exec(valid)![0];
  const inside = (content: string) => valid.replace(root, `${root}${content}`);
  const codeOf = (document: string | Uint8Array) => errorCode(() => read(document));

  it("reads a valid one, in octets and with a byte order mark", () => {
    expect(codeOf(valid)).toBe("none");
    expect(codeOf(new TextEncoder().encode(`\ufeff${valid}`))).toBe("none");
    expect(codeOf(inside("<!-- c --><?p i?>"))).toBe("none");
  });

  it.each([
    ["a document type", valid.replace(root, `<!DOCTYPE x>${root}`), "XML_DTD"],
    [
      "an external entity",
      valid.replace(root, `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///x">]>${root}`),
      "XML_DTD",
    ],
    ["an unknown entity", inside("&e;"), "XML_NOT_WELL_FORMED"],
    ["too many levels", inside(`${"<x>".repeat(16)}${"</x>".repeat(16)}`), "XML_TOO_DEEP"],
    ["too many elements", inside("<x/>".repeat(250_001)), "XML_TOO_LARGE"],
    ["too many octets", inside(" ".repeat(16 << 20)), "XML_TOO_LARGE"],
    ["no end", valid.slice(0, -5), "XML_NOT_WELL_FORMED"],
    ["no element", "", "XML_NOT_WELL_FORMED"],
    ["octets that are no text", Uint8Array.of(0xff, 0xfe, 0x3c), "BAD_UTF8"],
  ])("refuses %s", (_name, document, code) => {
    expect(codeOf(document)).toBe(`codec/${code}`);
  });

  it("ends with a codec error, or none, when parts are cut out", () => {
    const cuts = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 30 })), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(cuts, fc.constantFrom("", '"', "<", "x:", "</", " ", "0"), (places, put) => {
        let document = valid;
        for (const [at, length] of places) {
          const from = at % document.length;
          document = document.slice(0, from) + put + document.slice(from + length);
          if (document === "") break;
        }
        expect(codeOf(document)).toMatch(/^(none|codec\/.*)$/);
      }),
    );
  });
});

it("the readers that expect a root refuse the root of another document", () => {
  for (const [name, read] of READERS.slice(0, -1)) {
    for (const [other, , document] of READERS) {
      const isSame = name === other || (name === "resource-lists" && other === "node selector");
      expect(
        errorCode(() => read(document)),
        `${name} of ${other}`,
      ).toBe(isSame ? "none" : "codec/GROUP_XML_ROOT");
    }
  }
});

it("many prefixes and declarations cost the readers no more than their length", () => {
  const declared = Array.from({ length: 20_000 }, (_, i) => `xmlns:p${i}="urn:${i}"`).join(" ");
  const children = Array.from({ length: 20_000 }, (_, i) => `<x xmlns:q${i}="urn:q"/>`).join("");
  const xml = `<GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0" ${declared}>${children}</GKTPs>`;
  expect(readGktpDocument(xml)).toEqual([]);
});
