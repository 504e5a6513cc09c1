import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type GktpEntry, readGktpDocument, writeGktpDocument } from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";
import { entry } from "./arbitraries.ts";
import { GKTP_XSD } from "./schema/gktp.ts";
import { validatorOf } from "./schema/validator.ts";

const validate = validatorOf(GKTP_XSD);
const NS = "urn:3gpp:ns:mcpttGKTP:1.0";
const document = (content: string) => `<GKTPs xmlns="${NS}"><GMK-GKTPs>${content}</GMK-GKTPs></GKTPs>`;

/** Entries of temporary groups come last, those of one group together. */
function inOrder(entries: readonly GktpEntry[]): GktpEntry[] {
  const groups = [undefined, ...new Set(entries.map((e) => e.temporaryGroup).filter((g) => g !== undefined))];
  return groups.flatMap((group) => entries.filter((e) => e.temporaryGroup === group));
}

describe("GKTP documents", () => {
  it("are valid, and read as they were written", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), (entries) => {
        const xml = writeGktpDocument(entries);
        validate(xml);
        expect(readGktpDocument(xml)).toEqual(inOrder(entries));
      }),
    );
  });

  it("have the form of TS 24.481 7.7", () => {
    const xml = `<GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0">
  <GMK-GKTPs>
    <GKTP id="ID" activationtime="2030-01-01T00:00:00Z">011A0501</GKTP>
  </GMK-GKTPs>
</GKTPs>
`;
    const entries = [
      { id: "ID", activationTime: Date.UTC(2030, 0), octets: Uint8Array.of(0x01, 0x1a, 0x05, 0x01) },
    ];
    expect(readGktpDocument(xml)).toEqual(entries);
    expect(writeGktpDocument(entries)).toBe(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
    expect(errorCode(() => readGktpDocument(xml.replace("0501", "0501...")))).toBe("codec/GROUP_XML_VALUE");
  });

  it("are read with any prefix, with extensions, comments, CDATA and hex in lines", () => {
    const xml = `<?xml version='1.0'?><!-- c --><k:GKTPs xmlns:k="${NS}" xmlns:v="urn:vendor" v:a="1">
      <v:GMK-GKTPs><v:GKTP id="no">00</v:GKTP></v:GMK-GKTPs>
      <k:GMK-GKTPs><v:GKTP id="no">00</v:GKTP>
        <GKTP xmlns="${NS}" id="a&amp;b" v:id="no" activationtime=" 2030-01-01T01:00:00+01:00 ">
          01<!-- c -->1a <![CDATA[0 5]]>
        </GKTP>
        <k:on-network-regrouped-GKTPs temporary-MCPTT-group-ID="sip:t@x"><k:GKTP id="c">fF</k:GKTP></k:on-network-regrouped-GKTPs>
        <k:anyExt><k:GKTP id="no">00</k:GKTP></k:anyExt>
      </k:GMK-GKTPs>
      <k:MKFC-GKTPs><k:GKTP id="no">00</k:GKTP></k:MKFC-GKTPs>
    </k:GKTPs>`;
    expect(readGktpDocument(xml)).toEqual([
      { id: "a&b", activationTime: Date.UTC(2030, 0), octets: Uint8Array.of(1, 0x1a, 5) },
      { id: "c", octets: Uint8Array.of(255), temporaryGroup: "sip:t@x" },
    ]);
  });

  it.each([`<GKTPs xmlns="${NS}"/>`, `<GKTPs xmlns="${NS}"><GMK-GKTPs/></GKTPs>`])(
    "may be empty: %s",
    (xml) => {
      expect(readGktpDocument(xml)).toEqual([]);
      validate(xml);
    },
  );

  it.each([
    ["another namespace", "<GKTPs><GMK-GKTPs/></GKTPs>", "ROOT"],
    ["another root", `<GMK-GKTPs xmlns="${NS}"/>`, "ROOT"],
    ["two lists", document("").replace("</GKTPs>", "<GMK-GKTPs/></GKTPs>"), "DUPLICATE"],
    ["no id", document("<GKTP>00</GKTP>"), "MISSING"],
    ["no content", document('<GKTP id="a"> </GKTP>'), "VALUE"],
    ["an odd number of digits", document('<GKTP id="a">012</GKTP>'), "VALUE"],
    ["other letters", document('<GKTP id="a">0g</GKTP>'), "VALUE"],
    ["digits that are not ASCII", document('<GKTP id="a">٠١</GKTP>'), "VALUE"],
    ["elements in the hex", document('<GKTP id="a">00<x/>00</GKTP>'), "VALUE"],
    ["a time that is none", document('<GKTP id="a" activationtime="soon">00</GKTP>'), "VALUE"],
    ["a day that is none", document('<GKTP id="a" activationtime="2030-02-30T00:00:00Z">00</GKTP>'), "VALUE"],
    ["no temporary group", document("<on-network-regrouped-GKTPs/>"), "MISSING"],
    [
      "an empty temporary group",
      document('<on-network-regrouped-GKTPs temporary-MCPTT-group-ID=""/>'),
      "VALUE",
    ],
    ["a message too long", document(`<GKTP id="a">${"00".repeat(65_537)}</GKTP>`), "LIMIT"],
    ["too many messages", document('<GKTP id="a">00</GKTP>'.repeat(4097)), "LIMIT"],
    ["an id too long", document(`<GKTP id="${"a".repeat(4097)}">00</GKTP>`), "LIMIT"],
  ])("with %s are refused", (_, xml, code) => {
    expect(errorCode(() => readGktpDocument(xml))).toBe(`codec/GROUP_XML_${code}`);
  });

  it("are read up to the limits exactly", () => {
    expect(readGktpDocument(document('<GKTP id="a">00</GKTP>'.repeat(4096)))).toHaveLength(4096);
    const [long] = readGktpDocument(document(`<GKTP id="a">${"00".repeat(65_536)}</GKTP>`));
    expect(long!.octets).toHaveLength(65_536);
  });

  it("that are refused give the place of the error, without the content", () => {
    const xml = document('<GKTP id="a">00</GKTP><GKTP id="b">c0ffee0</GKTP>');
    expect(() => readGktpDocument(xml)).toThrow(
      /^\/GKTPs\/GMK-GKTPs\/GKTP\[2\]: not an even number of hex digits$/,
    );
  });
});
