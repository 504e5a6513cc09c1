/** Tests what a SUBSCRIBE asks for: its list, the form of the changes, and what is left out or refused. */
import { describe, expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import {
  gktpGroupPath,
  gktpUserCollection,
  gktpUserPath,
  groupCollection,
  groupDocumentPath,
  MEDIA,
  writeMcpttInfo,
  writeMultipart,
  writeResourceLists,
} from "../../../documents/group-xml/index.ts";
import { readableDocuments } from "../../../roles/gms/sip/documents.ts";
import { readSubscribed } from "../../../roles/gms/sip/subscribed.ts";
import { createRequest } from "../../../transport/sip/index.ts";

const MEMBER = "sip:alice@example.com";
const GROUP = "tel:g001";
const ROOT = "https://gms.example.com/xcap/";
const OPTIONS = { member: MEMBER, xcapRoot: ROOT, maxOctets: 65_536, maxEntries: 20, before: undefined };

interface Asked {
  readonly event?: string;
  readonly accept?: string;
  readonly type?: string;
  readonly body?: string | Uint8Array;
}

function request({ event = "xcap-diff", accept, type = MEDIA.resourceLists, body = "" }: Asked) {
  const made = createRequest("SUBSCRIBE", "sip:gms@x.y", typeof body === "string" ? utf8(body) : body);
  made.headers.append("Event", event);
  if (accept !== undefined) made.headers.append("Accept", accept);
  if (made.body.length > 0) made.headers.append("Content-Type", type);
  return made;
}

const list = (...uris: string[]) => writeResourceLists(uris);
const read = (asked: Asked, options: Partial<typeof OPTIONS> = {}) =>
  readSubscribed(request(asked), { ...OPTIONS, ...options });

describe("the list of a SUBSCRIBE", () => {
  it("may have documents and collections, absolute or relative, as they were written", () => {
    const odd = "org.openmobilealliance.groups/global/byGroupID/tel:g%3002";
    const { entries, leftOut } = read({
      body: list(
        groupDocumentPath(GROUP),
        `${ROOT}${gktpGroupPath(GROUP)}`,
        gktpUserCollection(MEMBER),
        groupCollection(),
        odd,
        groupDocumentPath(GROUP),
      ),
    });
    expect(entries).toEqual([
      { kind: "group", sel: groupDocumentPath(GROUP), group: GROUP },
      { kind: "gktp-group", sel: gktpGroupPath(GROUP), group: GROUP },
      { kind: "gktp", sel: gktpUserPath(MEMBER) },
      { kind: "groups", sel: groupCollection() },
      { kind: "group", sel: odd, group: "tel:g002" },
    ]);
    expect(leftOut).toBe(0);
  });

  it("counts each document once, however it is spelled", () => {
    const spelled = (text: string, n: number) =>
      [...text].map((c, i) => (i === n ? `%${c.charCodeAt(0).toString(16)}` : c)).join("");
    const user = encodeURIComponent(MEMBER);
    const { entries, leftOut } = read({
      body: list(
        ...Array.from(
          { length: 8 },
          (_, n) => `org.3gpp.MCPTT-GKTP/users/${spelled("sip:alice", n)}%40example.com/`,
        ),
        `org.3gpp.MCPTT-GKTP/users/${user}/gktp%2exml`,
        `/org.3gpp.MCPTT-GKTP/users/${user}/gktp.xml`,
        ...Array.from({ length: 4 }, (_, n) => `org.3gpp.MCPTT-GKTP/global/byGroupID/${spelled(GROUP, n)}`),
      ),
    });
    expect([entries.map(({ kind }) => kind), leftOut]).toEqual([["gktp", "gktp-group"], 0]);
  });

  it("counts a document once, also where its collection is listed as well", () => {
    const alias = "org.3gpp.MCPTT-GKTP/global/byGroupID/tel:g00%31";
    const { entries } = read({ body: list("org.3gpp.MCPTT-GKTP/global/byGroupID/", alias) });
    const view = { groups: new Map([[GROUP, 1]]), gktp: [] };
    expect([...readableDocuments(entries, view).keys()]).toEqual([alias]);
  });

  it("is read without entries that are no URI", () => {
    const body = list(...["a%00", "a%20b", "%0a", "a".repeat(1025)].map((id) => groupDocumentPath("") + id));
    expect(read({ body })).toMatchObject({ entries: [], leftOut: 4 });
  });

  it("is read without keys of others, parts of documents, and unknown documents", () => {
    const { entries, leftOut } = read({
      body: list(
        gktpUserPath("sip:bob@example.com"),
        gktpUserCollection("sip:bob@example.com"),
        `${gktpUserPath(MEMBER)}/~~/GKTPs`,
        "https://elsewhere.example.com/xcap/x",
        "resource-lists/users/x/index",
        "%",
      ),
    });
    expect([entries, leftOut]).toEqual([[], 6]);
  });

  it("may stand in multipart/mixed beside other parts", () => {
    const { contentType, body } = writeMultipart([
      { contentType: MEDIA.mcpttInfo, body: utf8(writeMcpttInfo({ accessToken: "a.b.c" })) },
      { contentType: MEDIA.resourceLists, body: utf8(list(groupDocumentPath(GROUP))) },
    ]);
    expect(read({ type: contentType, body }).entries).toHaveLength(1);
  });

  it("stays when a refresh has none, but its form may change", () => {
    const before = read({ body: list(groupDocumentPath(GROUP)) });
    const after = read({ event: "xcap-diff;diff-processing=aggregate" }, { before } as never);
    expect(after).toMatchObject({ entries: before.entries, mode: "aggregate" });
  });
});

describe("the form of diffs that a SUBSCRIBE asks for", () => {
  it.each([
    ["xcap-diff", "no-patching"],
    ["xcap-diff;diff-processing=no-patching", "no-patching"],
    ["xcap-diff;diff-processing=xcap-patching", "xcap-patching"],
    ["xcap-diff;diff-processing=Aggregate", "aggregate"],
    // Never a more complex one than was asked for (RFC 5875 4.3).
    ["xcap-diff;diff-processing=other", "no-patching"],
  ])("is, for %s, %s", (event, mode) => {
    expect(read({ event, body: list() })).toMatchObject({ mode });
  });

  it.each([
    [undefined, false],
    [MEDIA.xcapDiff, false],
    [`${MEDIA.xcapDiff}, application/mikey`, false],
    [`${MEDIA.xcapDiff}, application/mikey, multipart/mixed`, true],
  ])("by Accept %s has messages beside the diff: %s", (accept, mikey) => {
    expect(read({ ...(accept && { accept }), body: list() })).toMatchObject({ mikey });
  });
});

describe("the body of a SUBSCRIBE is refused", () => {
  it.each<[string, Asked]>([
    ["LIST_MISSING", {}],
    ["BODY_TYPE", { type: "text/plain", body: "x" }],
    ["BAD_BODY", { body: "<resource-lists" }],
    ["BAD_BODY", { body: "<x/>" }],
    ["BAD_BODY", { type: "multipart/mixed", body: "x" }],
    ["LIST_TOO_LONG", { body: list(...Array.from({ length: 21 }, (_, i) => groupDocumentPath(`g${i}`))) }],
    ["BODY_TOO_LARGE", { body: "x".repeat(65_537) }],
    ["NOT_ACCEPTABLE", { accept: "application/pidf+xml", body: list() }],
  ])("with %s", (code, asked) => {
    expect(() => read(asked)).toThrowError(expect.objectContaining({ code }));
  });
});
