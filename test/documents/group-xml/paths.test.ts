import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  gktpGroupPath,
  gktpUserCollection,
  gktpUserPath,
  groupCollection,
  groupDocumentPath,
  isUri,
  parseXcapPath,
} from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";

const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 });

describe("XCAP paths", () => {
  it("have the form of TS 24.481", () => {
    expect(groupDocumentPath("tel:g001")).toBe("org.openmobilealliance.groups/global/byGroupID/tel%3Ag001");
    expect(groupCollection()).toBe("org.openmobilealliance.groups/global/byGroupID/");
    expect(gktpUserCollection("sip:a@x")).toBe("org.3gpp.MCPTT-GKTP/users/sip%3Aa%40x/");
    expect(gktpUserPath("sip:a@x")).toBe("org.3gpp.MCPTT-GKTP/users/sip%3Aa%40x/gktp.xml");
    expect(gktpGroupPath("sip:g@x")).toBe("org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Ag%40x");
  });

  it("lead back to what they were made of, whatever characters its URI has", () => {
    fc.assert(
      fc.property(name.filter(isUri), (id) => {
        expect(parseXcapPath(groupDocumentPath(id))).toEqual({ kind: "group", group: id });
        expect(parseXcapPath(`/${gktpUserPath(id)}`)).toEqual({ kind: "gktp-user", xui: id });
        expect(parseXcapPath(gktpUserCollection(id))).toEqual({ kind: "gktp-collection", xui: id });
        expect(parseXcapPath(gktpGroupPath(id))).toEqual({ kind: "gktp-group", group: id });
      }),
    );
  });

  it("of collections and of the capabilities are recognised", () => {
    expect(parseXcapPath(groupCollection())).toEqual({ kind: "group-collection" });
    expect(parseXcapPath("org.3gpp.MCPTT-GKTP/global/byGroupID/")).toEqual({ kind: "gktp-group-collection" });
    expect(parseXcapPath("/xcap-caps/global/index")).toEqual({ kind: "caps" });
  });

  it("are accepted without encoding where it is not needed", () => {
    expect(parseXcapPath("org.3gpp.MCPTT-GKTP/users/sip:a@x/gktp.xml")).toEqual({
      kind: "gktp-user",
      xui: "sip:a@x",
    });
  });

  it.each([
    "",
    "/",
    "//org.openmobilealliance.groups/global/byGroupID/x",
    "org.openmobilealliance.groups",
    "org.openmobilealliance.groups/global/byGroupID",
    "org.openmobilealliance.groups/global/byGroupID/a/b",
    "org.openmobilealliance.groups/global/other/a",
    "org.openmobilealliance.groups/users/sip:a@x/index",
    "org.3gpp.MCPTT-GKTP/users/sip:a@x",
    "org.3gpp.MCPTT-GKTP/users//gktp.xml",
    "org.3gpp.MCPTT-GKTP/users/sip:a@x/other.xml",
    "org.3gpp.MCPTT-GKTP/users/sip:a@x/../gktp.xml",
    "org.3gpp.mcptt-gktp/users/sip:a@x/gktp.xml",
    "org.openmobilealliance.groups/global/byGroupID//~~/group",
    "xcap-caps/global/other",
    "resource-lists/users/sip:a@x/index",
  ])("that name no document are recognised: %s", (path) => {
    expect(parseXcapPath(path)).toBeUndefined();
  });

  it("that are malformed are refused", () => {
    for (const path of [
      "org.openmobilealliance.groups/global/byGroupID/%",
      "org.openmobilealliance.groups/global/byGroupID/%ff",
      `org.openmobilealliance.groups/global/byGroupID/${"a".repeat(4096)}`,
      "org.openmobilealliance.groups/global/byGroupID/a/~~/",
      "org.openmobilealliance.groups/global/byGroupID/a/~~/group?%",
      ...[
        "a%00",
        "a%20b",
        "a%0A",
        "a%E2%80%A8",
        "%3Cscript%3E",
        "%22",
        "%EF%BF%BF",
        "a".repeat(1025),
      ].flatMap((id) => [
        `org.openmobilealliance.groups/global/byGroupID/${id}`,
        `org.3gpp.MCPTT-GKTP/global/byGroupID/${id}`,
        `org.3gpp.MCPTT-GKTP/users/${id}/`,
        `org.3gpp.MCPTT-GKTP/users/${id}/gktp.xml`,
      ]),
    ]) {
      expect(
        errorCode(() => parseXcapPath(path)),
        path.slice(0, 80),
      ).toBe("codec/XCAP_PATH");
    }
  });
});
