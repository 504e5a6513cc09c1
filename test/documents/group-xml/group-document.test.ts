import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type GroupDocument,
  PROTECTION_ELEMENTS,
  readGroupDocument,
  writeGroupDocument,
} from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";
import { text, uri } from "./arbitraries.ts";

const group: fc.Arbitrary<GroupDocument> = fc.record(
  {
    uri,
    displayName: text,
    members: fc.uniqueArray(fc.record({ uri, priority: fc.nat({ max: 255 }) }, { requiredKeys: ["uri"] }), {
      selector: (m) => m.uri,
      maxLength: 5,
    }),
    services: fc.subarray(["mcptt", "mcvideo", "mcdata"] as const),
    unprotected: fc.subarray([...PROTECTION_ELEMENTS]),
    inviteMembers: fc.boolean(),
    priority: fc.nat({ max: 255 }),
    maxParticipants: fc.nat(),
    hangTimer: fc.nat({ max: 86_400 }),
    voiceEncodings: fc.array(text, { maxLength: 2 }),
  },
  { requiredKeys: ["uri", "displayName", "services", "unprotected"] },
);

const POLICY = "urn:ietf:params:xml:ns:common-policy";
const NAME = { local: "display-name", namespace: "urn:ietf:params:xml:ns:resource-lists", text: "A" };
const NS = "urn:oma:xml:poc:list-service";
const list = (content: string) =>
  `<group xmlns="${NS}" xmlns:m="urn:3gpp:ns:mcpttGroupInfo:1.0"><list-service uri="sip:g@x">${content}</list-service></group>`;

describe("group documents", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(group, (value) => {
        expect(readGroupDocument(writeGroupDocument(value))).toEqual(value);
      }),
    );
  });

  it("have the elements and namespaces of TS 24.481 7.2", () => {
    const xml = writeGroupDocument({
      uri: "sip:g@x",
      displayName: "A & B",
      members: [{ uri: "sip:a@x" }, { uri: "sip:b@x", priority: 200 }],
      services: ["mcptt"],
      unprotected: ["protect-floor-control-signalling"],
      inviteMembers: true,
      priority: 3,
      voiceEncodings: ["AMR-WB"],
    });
    expect(xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<group xmlns="urn:oma:xml:poc:list-service" xmlns:oxe="urn:oma:xml:xdm:extensions" xmlns:mcpttgi="urn:3gpp:ns:mcpttGroupInfo:1.0">
  <list-service uri="sip:g@x">
    <display-name>A &amp; B</display-name>
    <list>
      <entry uri="sip:a@x"/>
      <entry uri="sip:b@x">
        <mcpttgi:user-priority>200</mcpttgi:user-priority>
      </entry>
    </list>
    <oxe:supported-services>
      <oxe:service enabler="urn:urn-7:3gpp-service.ims.icsi.mcptt">
        <oxe:group-media>
          <mcpttgi:mcptt-speech/>
        </oxe:group-media>
      </oxe:service>
    </oxe:supported-services>
    <mcpttgi:on-network-invite-members>true</mcpttgi:on-network-invite-members>
    <mcpttgi:on-network-group-priority>3</mcpttgi:on-network-group-priority>
    <mcpttgi:preferred-voice-encodings>
      <mcpttgi:encoding name="AMR-WB"/>
    </mcpttgi:preferred-voice-encodings>
    <mcpttgi:protect-floor-control-signalling>false</mcpttgi:protect-floor-control-signalling>
  </list-service>
</group>
`);
  });

  it("of other systems are read: other prefixes, languages, names of members, rules", () => {
    const xml = `<l:group xmlns:l="${NS}" xmlns:rl="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:common-policy"
        xmlns:gi="urn:3gpp:ns:mcpttGroupInfo:1.0" xmlns:x="urn:oma:xml:xdm:extensions">
      <l:list-service uri="sip:g@x" gi:y="1">
        <l:display-name xml:lang="en-us"> Group 1 </l:display-name>
        <l:list>
          <l:entry uri="tel:+1"><rl:display-name>A</rl:display-name><gi:user-priority>7</gi:user-priority></l:entry>
          <rl:entry uri="sip:no@x"/>
          <l:entry uri="sip:b@x"/>
        </l:list>
        <protect-media>false</protect-media>
        <gi:protect-media>true</gi:protect-media>
        <gi:mcdata-protect-media>0</gi:mcdata-protect-media>
        <cp:ruleset><cp:rule id="a7c"><cp:actions><gi:protect-floor-control-signalling>false</gi:protect-floor-control-signalling></cp:actions></cp:rule></cp:ruleset>
        <x:supported-services>
          <x:service enabler="urn:urn-7:3gpp-service.ims.icsi.mcdata.sds"/>
          <x:service enabler="urn:urn-7:3gpp-service.ims.icsi.mcdata.fd"/>
          <x:service enabler="urn:urn-7:3gpp-service.ims.icsi.constructor"/>
          <x:service enabler="poc"/><x:service/>
        </x:supported-services>
      </l:list-service>
    </l:group>`;
    expect(readGroupDocument(xml)).toEqual({
      uri: "sip:g@x",
      displayName: "Group 1",
      members: [{ uri: "tel:+1", priority: 7, extensions: [NAME] }, { uri: "sip:b@x" }],
      services: ["mcdata"],
      unprotected: ["mcdata-protect-media"],
      extensions: [
        { local: "protect-media", namespace: "", text: "false" },
        {
          local: "ruleset",
          namespace: POLICY,
          children: [
            {
              local: "rule",
              namespace: POLICY,
              attributes: [{ local: "id", value: "a7c" }],
              children: [
                {
                  local: "actions",
                  namespace: POLICY,
                  children: [
                    {
                      local: "protect-floor-control-signalling",
                      namespace: "urn:3gpp:ns:mcpttGroupInfo:1.0",
                      text: "false",
                    },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
    // Elements that are not read are kept, and written again.
    expect(readGroupDocument(writeGroupDocument(readGroupDocument(xml)))).toEqual(readGroupDocument(xml));
  });

  it.each([
    ["PT30S", 30],
    ["PT1H2M3.5S", 3724],
    ["P1D", 86_400],
    ["PT0S", 0],
  ])("read a hang timer of %s", (text, seconds) => {
    const xml = list(`<m:on-network-hang-timer>${text}</m:on-network-hang-timer>`);
    expect(readGroupDocument(xml).hangTimer).toBe(seconds);
  });

  it.each(["P", "PT", "30", "-PT3S", "P1M", "PT1S2M"])("that give the hang timer as %s have none", (text) => {
    const xml = list(`<m:on-network-hang-timer>${text}</m:on-network-hang-timer>`);
    expect(errorCode(() => readGroupDocument(xml))).toMatch(/^codec\/GROUP_XML/);
  });

  it("without a list and with an empty one are told apart", () => {
    expect(readGroupDocument(list(""))).not.toHaveProperty("members");
    expect(readGroupDocument(list("<list/>")).members).toEqual([]);
    const value = { uri: "sip:g@x", displayName: "", services: [], unprotected: [] };
    expect(writeGroupDocument(value)).not.toContain("list>");
    expect(writeGroupDocument({ ...value, members: [] })).toContain("<list/>");
  });

  it.each([
    ["another namespace", '<group><list-service uri="a"/></group>', "ROOT"],
    ["no list-service", `<group xmlns="${NS}"/>`, "MISSING"],
    ["two of them", list("").replace("</group>", '<list-service uri="b"/></group>'), "DUPLICATE"],
    ["no URI", list("").replace(' uri="sip:g@x"', ""), "MISSING"],
    ["two lists", list("<list/><list/>"), "DUPLICATE"],
    ["a member without URI", list("<list><entry/></list>"), "MISSING"],
    ["a member with a blank URI", list('<list><entry uri=" "/></list>'), "VALUE"],
    ["a member twice", list('<list><entry uri="a"/><entry uri=" a"/></list>'), "DUPLICATE"],
    [
      "a priority that is none",
      list("<m:on-network-group-priority>-1</m:on-network-group-priority>"),
      "VALUE",
    ],
    [
      "a priority of a member that is none",
      list('<list><entry uri="a"><m:user-priority>high</m:user-priority></entry></list>'),
      "VALUE",
    ],
    ["a protection that is neither", list("<m:protect-media>maybe</m:protect-media>"), "VALUE"],
    [
      "a protection twice",
      list("<m:protect-media>0</m:protect-media><m:protect-media>1</m:protect-media>"),
      "DUPLICATE",
    ],
    [
      "an encoding without name",
      list("<m:preferred-voice-encodings><m:encoding/></m:preferred-voice-encodings>"),
      "MISSING",
    ],
  ])("with %s are refused", (_, xml, code) => {
    expect(errorCode(() => readGroupDocument(xml))).toBe(`codec/GROUP_XML_${code}`);
  });

  it("hold 10,000 members, and have a limit", () => {
    const members = Array.from({ length: 10_000 }, (_, i) => ({ uri: `sip:m${i}@example.org` }));
    const xml = writeGroupDocument({
      uri: "sip:g@x",
      displayName: "",
      members,
      services: [],
      unprotected: [],
    });
    expect(readGroupDocument(xml).members).toEqual(members);
    const many = list(`<list>${'<entry uri="a"/>'.repeat(100_001)}</list>`);
    expect(errorCode(() => readGroupDocument(many))).toBe("codec/GROUP_XML_LIMIT");
  });

  it("are not written with elements that do not exist", () => {
    const value = { uri: "a", displayName: "", services: [], unprotected: ["protect-all"] };
    expect(errorCode(() => writeGroupDocument(value))).toBe("usage/BAD_GROUP_DOCUMENT");
  });
});
