import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isGmopGetExcludingMembers,
  type ReportedMessage,
  readGktpReport,
  readMcpttInfo,
  readResourceLists,
  readXcapError,
  writeGktpReport,
  writeGmopRequest,
  writeMcpttInfo,
  writeResourceLists,
  writeXcapCaps,
  writeXcapError,
  type XcapError,
} from "../../../documents/group-xml/index.ts";
import { parseXml } from "../../../documents/xml/xml-reader.ts";
import { errorCode } from "../../support/error-code.ts";
import { text, uri } from "./arbitraries.ts";

describe("resource lists", () => {
  const NS = "urn:ietf:params:xml:ns:resource-lists";
  const lists = (content: string) => `<resource-lists xmlns="${NS}">${content}</resource-lists>`;

  it("are read as they were written", () => {
    fc.assert(
      fc.property(fc.array(uri, { maxLength: 5 }), (uris) => {
        expect(readResourceLists(writeResourceLists(uris))).toEqual(uris);
      }),
    );
  });

  it("have the form of TS 24.481 6.3.13", () => {
    const [path] = readResourceLists(
      '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="org.openmobilealliance.groups/global/byGroupID/tel%3Ag001"/></list></resource-lists>',
    );
    expect(path).toBe("org.openmobilealliance.groups/global/byGroupID/tel%3Ag001");
  });

  it("may have names, several lists and extensions", () => {
    const xml = `<r:resource-lists xmlns:r="${NS}"><r:list name="a"><r:display-name>A</r:display-name>
      <r:entry uri="b"><r:display-name>B</r:display-name></r:entry><entry uri="no"/></r:list><r:list><r:entry uri="c"/></r:list></r:resource-lists>`;
    expect(readResourceLists(xml)).toEqual(["b", "c"]);
    expect(readResourceLists(lists(""))).toEqual([]);
  });

  it.each([
    ["a nested list", "<list><list/></list>", "VALUE"],
    ["a reference to an entry", '<list><entry-ref ref="a"/></list>', "VALUE"],
    ["an external list", '<list><external anchor="https://a"/></list>', "VALUE"],
    ["an entry without URI", "<list><entry/></list>", "MISSING"],
    ["a long URI", `<list><entry uri="${"a".repeat(4097)}"/></list>`, "LIMIT"],
    ["too many entries", `<list>${'<entry uri="a"/>'.repeat(4097)}</list>`, "LIMIT"],
  ])("with %s are refused", (_, content, code) => {
    expect(errorCode(() => readResourceLists(lists(content)))).toBe(`codec/GROUP_XML_${code}`);
  });
});

describe("the mcptt-info document", () => {
  const NS = "urn:3gpp:ns:mcpttInfo:1.0";
  const info = (content: string) =>
    `<mcpttinfo xmlns="${NS}"><mcptt-Params>${content}</mcptt-Params></mcpttinfo>`;

  it("gives the access token of TS 24.379 F.1", () => {
    const xml = info(
      '<mcptt-access-token type="Normal"><mcpttString>..</mcpttString></mcptt-access-token><mcptt-client-id/>',
    );
    expect(readMcpttInfo(xml)).toEqual({ accessToken: ".." });
    expect(readMcpttInfo(writeMcpttInfo({ accessToken: "a.b-c_~" }))).toEqual({ accessToken: "a.b-c_~" });
    expect(
      readMcpttInfo(info("<mcptt-access-token><mcpttString>a</mcpttString></mcptt-access-token>")),
    ).toEqual({
      accessToken: "a",
    });
  });

  it("may have no access token", () => {
    expect(readMcpttInfo(writeMcpttInfo({}))).toEqual({});
    expect(readMcpttInfo(info("<mcptt-client-id/>"))).toEqual({});
    expect(readMcpttInfo(`<mcpttinfo xmlns="${NS}"/>`)).toEqual({});
  });

  it.each([
    ["encrypted", '<mcptt-access-token type="Encrypted"><x/></mcptt-access-token>', "MCPTT_INFO_ENCRYPTED"],
    ["missing inside", "<mcptt-access-token/>", "GROUP_XML_MISSING"],
    ["empty", "<mcptt-access-token><mcpttString> </mcpttString></mcptt-access-token>", "GROUP_XML_VALUE"],
    ["there twice", "<mcptt-access-token/><mcptt-access-token/>", "GROUP_XML_DUPLICATE"],
    [
      "too long",
      `<mcptt-access-token><mcpttString>${"a".repeat(16_385)}</mcpttString></mcptt-access-token>`,
      "GROUP_XML_LIMIT",
    ],
  ])("is refused when the token is %s, without quoting it", (_, content, code) => {
    expect(errorCode(() => readMcpttInfo(info(content)))).toBe(`codec/${code}`);
  });
});

describe("group management operations", () => {
  const gmop = (content: string) => `<document xmlns="urn:3gpp:ns:mcpttGMOP:1.0">${content}</document>`;

  it("ask for a group without members in the form of TS 24.481 6.3.16", () => {
    expect(isGmopGetExcludingMembers(gmop("<request><get-excluding-memberlist/></request>"))).toBe(true);
    expect(isGmopGetExcludingMembers(writeGmopRequest())).toBe(true);
  });

  it("may be of another kind", () => {
    for (const content of ["", "<request/>", "<request><group-regroup-creation/></request>", "<response/>"]) {
      expect(isGmopGetExcludingMembers(gmop(content))).toBe(false);
    }
    expect(errorCode(() => isGmopGetExcludingMembers("<document/>"))).toBe("codec/GROUP_XML_ROOT");
  });
});

describe("XCAP errors", () => {
  it.each<XcapError>([
    { condition: "constraint-failure", phrase: 'no "such" <message>' },
    { condition: "no-parent", ancestor: "https://x/xcap/a/~~/b" },
    {
      condition: "uniqueness-failure",
      exists: [
        { field: "group/list-service/@uri", alternatives: ["sip:a@x", "sip:b@x"] },
        { field: "b", alternatives: [] },
      ],
    },
    { condition: "not-utf-8" },
  ])("are read as they were written: $condition", (error) => {
    expect(readXcapError(writeXcapError(error))).toEqual(error);
  });

  it("have the form of RFC 4825 11", () => {
    const xml =
      '<xcap-error xmlns="urn:ietf:params:xml:ns:xcap-error"><schema-validation-error phrase="no"/></xcap-error>';
    expect(readXcapError(xml)).toEqual({ condition: "schema-validation-error", phrase: "no" });
    for (const condition of ["", "<other/>", '<cannot-delete xmlns="urn:x"/>']) {
      const other = xml.replace(/<schema.*?>/, condition);
      expect(errorCode(() => readXcapError(other))).toBe("codec/GROUP_XML_MISSING");
    }
  });
});

describe("reports on fetched messages", () => {
  const sha256 = "0123456789abcdef".repeat(4);
  const message: fc.Arbitrary<ReportedMessage> = fc.record(
    {
      sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
      result: fc.constantFrom("stored", "failed"),
      warning: text,
    },
    { requiredKeys: ["sha256", "result"] },
  );

  it("are read as they were written", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
        expect(readGktpReport(writeGktpReport(messages))).toEqual(messages);
      }),
    );
    expect(writeGktpReport([{ sha256, result: "stored" }])).toContain(
      `<report xmlns="urn:mikey-sakke:gktp-report:1.0">\n  <message sha256="${sha256.toUpperCase()}" result="stored"/>`,
    );
  });

  it.each([
    ["a digest too short", `sha256="${sha256.slice(2)}" result="stored"`, "VALUE"],
    ["a digest that is none", `sha256="${sha256.slice(1)}g" result="stored"`, "VALUE"],
    ["no digest", 'result="stored"', "MISSING"],
    ["no result", `sha256="${sha256}"`, "MISSING"],
    ["another result", `sha256="${sha256}" result="lost"`, "VALUE"],
    ["a long warning", `sha256="${sha256}" result="failed" warning="${"x".repeat(501)}"`, "LIMIT"],
  ])("with %s are refused", (_, attributes, code) => {
    const xml = `<report xmlns="urn:mikey-sakke:gktp-report:1.0"><message ${attributes}/></report>`;
    expect(errorCode(() => readGktpReport(xml))).toBe(`codec/GROUP_XML_${code}`);
  });

  it("are bounded, and not written wrongly", () => {
    const many = writeGktpReport(Array(4097).fill({ sha256, result: "stored" }));
    expect(errorCode(() => readGktpReport(many))).toBe("codec/GROUP_XML_LIMIT");
    expect(errorCode(() => writeGktpReport([{ sha256: "00", result: "stored" }]))).toBe("usage/BAD_REPORT");
    const warning = "x".repeat(501);
    expect(errorCode(() => writeGktpReport([{ sha256, result: "failed", warning }]))).toBe(
      "usage/BAD_REPORT",
    );
  });
});

it("the XCAP capabilities name application usages and namespaces", () => {
  const { local, namespace, children } = parseXml(writeXcapCaps());
  expect([namespace, local]).toEqual(["urn:ietf:params:xml:ns:xcap-caps", "xcap-caps"]);
  expect(children.map((c) => c.local)).toEqual(["auids", "extensions", "namespaces"]);
  expect(children[0]!.children.map((c) => [c.local, c.text])).toContainEqual(["auid", "org.3gpp.MCPTT-GKTP"]);
  expect(children[2]!.children.map((c) => c.text)).toContain("urn:3gpp:ns:mcpttGKTP:1.0");
});
