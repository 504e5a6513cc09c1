import fc from "fast-check";
import { XmlDocument } from "libxml2-wasm";
import { describe, expect, it } from "vitest";
import { parseNodeSelector, parseXcapPath, select } from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";

const GROUP = "urn:oma:xml:poc:list-service";
const XML = `\ufeff<?xml version="1.0"?>\r
<!-- c --><group xmlns="${GROUP}" xmlns:m="urn:3gpp:ns:mcpttGroupInfo:1.0"><list-service uri="sip:g@x">
  <display-name>A &amp; B é</display-name>
  <list><entry uri="sip:a@x"/><entry  uri='sip:b/"q"@x' m:x="1" >
     <m:note a=">"/></entry><other/><entry uri="sip:a@x" n="2"/></list>
  <m:protect-media>false</m:protect-media>
  <p:y xmlns:p="urn:p" xmlns=""><z/></p:y>
</list-service></group>`;
const find = (selector: string, query = "") => select(XML, parseNodeSelector(selector, query, GROUP));
const element = (body: string) => ({ contentType: "application/xcap-el+xml", body });
const attribute = (body: string) => ({ contentType: "application/xcap-att+xml", body });

describe("node selectors", () => {
  it.each([
    ["group/list-service/display-name", "", "<display-name>A &amp; B é</display-name>"],
    ["group/list-service/list/entry[1]", "", '<entry uri="sip:a@x"/>'],
    ["*/*/list/*[4]", "", '<entry uri="sip:a@x" n="2"/>'],
    ['group/*[1]/list/entry[@n="2"]', "", '<entry uri="sip:a@x" n="2"/>'],
    ["group/*/list/entry[3][@uri='sip:a@x']", "", '<entry uri="sip:a@x" n="2"/>'],
    [
      "group/list-service/list/entry[@uri='sip:b/\"q\"@x']",
      "",
      `<entry  uri='sip:b/"q"@x' m:x="1" >\n     <m:note a=">"/></entry>`,
    ],
    [
      `group/list-service/list/entry[@k:x="1"]/k:note`,
      "xmlns(k=urn:3gpp:ns:mcpttGroupInfo:1.0)",
      '<m:note a=">"/>',
    ],
    [
      "a:group/a:list-service/b:protect-media",
      `xmlns(a=${GROUP}) xmlns(b=urn:3gpp:ns:mcpttGroupInfo:1.0)`,
      "<m:protect-media>false</m:protect-media>",
    ],
    ["group/list-service/p:y/e:z", "xmlns(p=urn:p)xmlns(e=)", "<z/>"],
  ])("find elements unchanged: %s", (selector, query, body) => {
    expect(find(selector, query)).toEqual(element(body));
  });

  it("find attributes", () => {
    expect(find("group/list-service/@uri")).toEqual(attribute("sip:g@x"));
    expect(find("group/list-service/list/entry[2]/@uri")).toEqual(attribute("sip:b/&quot;q&quot;@x"));
    const query = "xmlns(k=urn:3gpp:ns:mcpttGroupInfo:1.0)";
    expect(find("group/list-service/list/entry[2]/@k:x", query)).toEqual(attribute("1"));
    expect(find("group/list-service/list/entry[2]/@x", query)).toBeUndefined();
  });

  it("find the namespaces in scope", () => {
    const found = find("group/list-service/p:y/namespace::*", "xmlns(p=urn:p)");
    expect(found).toEqual({
      contentType: "application/xcap-ns+xml",
      body: '<p:y xmlns:p="urn:p" xmlns="" xmlns:m="urn:3gpp:ns:mcpttGroupInfo:1.0"/>',
    });
    XmlDocument.fromString(found!.body).dispose();
  });

  it.each([
    "list-service",
    "group/display-name",
    "group/list-service/list/entry",
    "group/list-service/list/*",
    'group/list-service/list/entry[@uri="sip:a@x"]',
    'group/list-service/list/entry[2][@uri="sip:a@x"]',
    "group/list-service/list/entry[4]",
    "group/list-service/list/entry[0]",
    "group[2]",
    "group/list-service/protect-media",
    "group/list-service/@name",
    "group/@xmlns",
  ])("match nothing, or more than one node: %s", (selector) => {
    expect(find(selector)).toBeUndefined();
  });

  it.each([
    "",
    "@uri",
    "namespace::*",
    "/group",
    "group/",
    "group//list",
    "group/list-service/@uri/x",
    "group/..",
    "group/text()",
    "group/descendant::list",
    "group[last()]",
    "group[-1]",
    "group[@a]",
    "group[@a=1]",
    'group[@a="1"][1]',
    "x:group",
    "group/@x:uri",
    'group[@a="1]',
    "group|group",
    `group${"/*".repeat(16)}`,
  ])("in other forms are refused: %s", (selector) => {
    expect(errorCode(() => find(selector))).toBe("codec/XCAP_PATH");
  });

  it.each(["xmlns(a)", "a=b", "xmlns(a=b", "xmlns(=b)", "xmlns(a=b) x"])(
    "with the query %s are refused",
    (query) => {
      expect(errorCode(() => find("group", query))).toBe("codec/XCAP_PATH");
    },
  );

  it("are taken from a path, with the default namespace of its documents", () => {
    const path = parseXcapPath(
      "org.openmobilealliance.groups/global/byGroupID/a/~~/group/list-service/list/entry%5b@uri=%22sip:b%2F%22%5d/k:note/@a?xmlns(k=urn%3Ax)",
    );
    expect(path).toEqual({
      kind: "group",
      group: "a",
      node: {
        steps: [
          { name: { namespace: GROUP, local: "group" } },
          { name: { namespace: GROUP, local: "list-service" } },
          { name: { namespace: GROUP, local: "list" } },
          {
            name: { namespace: GROUP, local: "entry" },
            attribute: { namespace: "", local: "uri", value: "sip:b/" },
          },
          { name: { namespace: "urn:x", local: "note" } },
        ],
        terminal: { namespace: "", local: "a" },
      },
    });
    const gktp = parseXcapPath("org.3gpp.MCPTT-GKTP/users/a/gktp.xml/~~/GKTPs");
    expect(gktp).toMatchObject({ node: { steps: [{ name: { namespace: "urn:3gpp:ns:mcpttGKTP:1.0" } }] } });
  });

  it("find the node that libxml2 finds with the same path", () => {
    const node = (children: fc.Arbitrary<string[]>) =>
      fc
        .tuple(fc.constantFrom("a", "b"), fc.constantFrom("", ' k="1"', ' k="2"'), children)
        .map(([name, attributes, inside]) => `<${name}${attributes}>${inside.join("")}</${name}>`);
    let tree = node(fc.constant([]));
    for (let depth = 0; depth < 3; depth++) tree = node(fc.array(tree, { maxLength: 3 }));
    const step = fc
      .tuple(
        fc.constantFrom("a", "b", "*"),
        fc.constantFrom("", "[1]", "[2]"),
        fc.constantFrom("", '[@k="1"]'),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(tree, fc.array(step, { minLength: 1, maxLength: 4 }), (unnumbered, steps) => {
        let n = 0;
        const xml = unnumbered.replace(/<(\w)/g, (tag) => `${tag} i="${n++}"`);
        const selector = steps.join("/");
        const document = XmlDocument.fromString(xml);
        const found = document.find(`/${selector}/@i`).map(({ content }) => content);
        document.dispose();
        const [, i] =
          /^<\w i="(\d+)"/.exec(select(xml, parseNodeSelector(selector, "", ""))?.body ?? "") ?? [];
        expect(i).toBe(found.length === 1 ? found[0] : undefined);
      }),
      { numRuns: 300 },
    );
  });
});
