import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readConferenceInfo, writeConferenceInfo } from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";
import { uri } from "./arbitraries.ts";

const NS = "urn:ietf:params:xml:ns:conference-info";
const info = (content: string, attributes = 'entity="sip:g@x" state="full" version="1"') =>
  `<conference-info xmlns="${NS}" ${attributes}>${content}</conference-info>`;

describe("conference states (RFC 4575)", () => {
  it("are read as they were written", () => {
    const user = fc.record({ uri, isPresent: fc.boolean() });
    const state = fc.constantFrom("full" as const, "partial" as const, "deleted" as const);
    const users = fc.uniqueArray(user, { maxLength: 5, selector: (one) => one.uri });
    const any = fc.record({ entity: uri, state, version: fc.integer({ min: 0, max: 0xffff_ffff }), users });
    fc.assert(
      fc.property(any, (one) => {
        expect(readConferenceInfo(writeConferenceInfo(one))).toEqual(one);
      }),
    );
  });

  it("may have more elements from other servers, as in RFC 4575 6.1", () => {
    const xml = info(`
      <conference-description><subject>Agenda</subject></conference-description>
      <conference-state><user-count>3</user-count></conference-state>
      <users>
        <user entity="sip:bob@example.com" state="full"><display-text>Bob</display-text>
          <endpoint entity="sip:bob@pc33.example.com"><status>disconnected</status></endpoint>
          <endpoint entity="sip:bob@phone.example.com"><status>on-hold</status><joining-method>dialed-in</joining-method></endpoint>
        </user>
        <user entity="sip:alice@example.com"><endpoint><status>disconnected</status></endpoint></user>
        <user entity="sip:carol@example.com"/>
        <user xmlns="urn:other" entity="sip:eve@example.com"/>
      </users>`);
    expect(readConferenceInfo(xml).users).toEqual([
      { uri: "sip:bob@example.com", isPresent: true },
      { uri: "sip:alice@example.com", isPresent: false },
      { uri: "sip:carol@example.com", isPresent: true },
    ]);
    expect(readConferenceInfo(info("", 'entity="sip:g@x" version="0"'))).toMatchObject({
      state: "full",
      users: [],
    });
  });

  it.each([
    ["without an entity", info("", 'state="full" version="1"'), "MISSING"],
    ["without a version", info("", 'entity="a" state="full"'), "MISSING"],
    ["of a version that is none", info("", 'entity="a" version="-1"'), "VALUE"],
    ["of too high a version", info("", 'entity="a" version="4294967296"'), "VALUE"],
    ["of another state", info("", 'entity="a" version="1" state="x"'), "VALUE"],
    ["with two lists of users", info("<users/><users/>"), "DUPLICATE"],
    ["with a user twice", info('<users><user entity="a"/><user entity="a"/></users>'), "DUPLICATE"],
    ["with a user without URI", info("<users><user/></users>"), "MISSING"],
    ["with a long URI", info(`<users><user entity="${"a".repeat(4097)}"/></users>`), "LIMIT"],
    ["with too many users", info(`<users>${'<user entity="a"/>'.repeat(4097)}</users>`), "LIMIT"],
  ])("%s are refused", (_, document, code) => {
    expect(errorCode(() => readConferenceInfo(document))).toBe(`codec/GROUP_XML_${code}`);
  });
});
