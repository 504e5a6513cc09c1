/** Tests what servers read of strangers besides SIP: the time for it grows no faster than its size. */
import { describe, expect, it } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { mediaTypeOf, parseXcapPath, readMultipart } from "../../documents/group-xml/index.ts";
import { parseNodeSelector } from "../../documents/group-xml/node-selector.ts";
import { readCallSdp } from "../../documents/sdp/call.ts";
import { parseXml } from "../../documents/xml/xml-reader.ts";
import { readConditions } from "../../roles/gms/http/conditions.ts";
import { parsePath } from "../../roles/kms/common/path.ts";
import { growthOf } from "../sip/support/growth.ts";

const times = (text: string, n: number) => text.repeat(Math.floor(n / text.length));
const multipart = (body: string) => readMultipart("multipart/mixed;boundary=b", utf8(body));
const NAMESPACE = "urn:x";

type Make = (n: number) => string;
const readers: Record<string, { read: (text: string) => unknown; kinds: Record<string, Make> }> = {
  XML: {
    read: (text) => parseXml(text),
    kinds: {
      elements: (n) => `<a>${times("<b/>", n)}</a>`,
      "nested elements": (n) => times("<b>", n),
      "elements at the greatest depth": (n) =>
        `<r>${times(`${"<b>".repeat(30)}${"</b>".repeat(30)}`, n)}</r>`,
      attributes: (n) => `<a ${Array.from({ length: n / 8 }, (_, i) => `a${i}="1"`).join(" ")}/>`,
      namespaces: (n) =>
        `<a ${Array.from({ length: n / 20 }, (_, i) => `xmlns:a${i}="urn:${i}"`).join(" ")}/>`,
      entities: (n) => `<a>${times("&amp;", n)}</a>`,
      "a comment without an end": (n) => `<a><!--${times("-", n)}`,
      "text and brackets": (n) => `<a>${times("]]", n)}</a>`,
    },
  },
  "a multipart body": {
    read: multipart,
    kinds: {
      boundaries: (n) => times("--b\r\n\r\n", n),
      "beginnings of boundaries": (n) => `--b\r\n\r\n${times("\r\n--", n)}`,
      "blanks in a part header": (n) => `--b\r\nContent-Type:${times(" ", n)}x\r\n\r\n--b--`,
      "folded part headers": (n) => `--b\r\nContent-Type: a/b${times("\r\n ", n)}\r\n\r\n--b--`,
      "blanks after a boundary": (n) => `--b${times(" ", n)}x`,
    },
  },
  "a media type": {
    read: mediaTypeOf,
    kinds: {
      parameters: (n) => `a/b${times(";c=d", n)}`,
      blanks: (n) => `a/b;${times(" ", n)}`,
      quotes: (n) => `a/b;c="${times("\\a", n)}`,
    },
  },
  "a node selector": {
    read: (text) => parseNodeSelector(text, "", NAMESPACE),
    kinds: {
      steps: (n) => times("a/", n),
      "a name": (n) => times("a", n),
      predicates: (n) => `a${times("[1]", n)}`,
      "a value": (n) => `a[@b="${times("c", n)}`,
    },
  },
  "the prefixes of a node selector": {
    read: (text) => parseNodeSelector("a", text, NAMESPACE),
    kinds: {
      prefixes: (n) => times("xmlns(a=b)", n),
      blanks: (n) => `xmlns(a=b)${times(" ", n)}x`,
    },
  },
  "an XCAP path": {
    read: (text) => parseXcapPath(text),
    kinds: {
      segments: (n) => `org.openmobilealliance.groups/users/${times("a/", n)}`,
      escapes: (n) => `org.openmobilealliance.groups/users/${times("%41", n)}`,
      tildes: (n) => `org.openmobilealliance.groups/users/a/~~/${times("~~/", n)}`,
    },
  },
  "a KMS path": {
    read: parsePath,
    kinds: {
      segments: (n) => `/keymanagement/identity/v1/keyprov/${times("a/", n)}`,
      escapes: (n) => `/keymanagement/identity/v1/keyprov/${times("%41", n)}`,
    },
  },
  "If-None-Match": {
    read: (text) => readConditions(undefined, text),
    kinds: {
      tags: (n) => times('"a", ', n),
      blanks: (n) => `"a"${times(" ", n)}x`,
      "a tag without an end": (n) => `"${times("a", n)}`,
    },
  },
  SDP: {
    read: (text) => readCallSdp(utf8(text)),
    kinds: {
      lines: (n) => `v=0\r\n${times("a=x\r\n", n)}`,
      media: (n) => `v=0\r\n${times("m=audio 1 RTP/AVP 0\r\n", n)}`,
      "blanks in a line": (n) => `v=0\r\nm=audio${times(" ", n)}x\r\n`,
      "carriage returns": (n) => `v=0${times("\r", n)}`,
    },
  },
};

describe.each(Object.entries(readers))("the reader of %s", (_, { read, kinds }) => {
  it.each(Object.entries(kinds))("takes linear time for %s", (_kind, make) => {
    const growth = growthOf((n) => {
      const text = make(n);
      return () => {
        try {
          read(text);
        } catch {
          // Most are refused, which is as good.
        }
      };
    });
    expect(growth).toBeLessThan(10);
  });
});
