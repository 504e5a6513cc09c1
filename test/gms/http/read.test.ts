/** Tests what members read: whole documents, parts, collections; entity tags and conditions. */

import { beforeEach, describe, expect, it } from "vitest";
import {
  MEDIA,
  readGktpDocument,
  readGroupDocument,
  readXcapDiff,
  writeGmopRequest,
} from "../../../documents/group-xml/index.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import { ALICE, BOB, GROUP, GROUP_PATH, keysPath, MANAGER, ROOT, sharedXcapWorld } from "./xcap.ts";

const world = sharedXcapWorld();
let ask: (typeof world)["it"]["ask"];
beforeEach(() => {
  ask = world.it.ask;
});
const GROUP_KEYS = `${ROOT}/org.3gpp.MCPTT-GKTP/global/byGroupID/${encodeURIComponent(GROUP)}`;
const COLLECTION = `${ROOT}/org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(ALICE)}/`;

describe("a group document", () => {
  it("has the members and the revision as entity tag", async () => {
    const got = await ask(GROUP_PATH);
    expect(got).toMatchObject({ status: 200, headers: { "content-type": MEDIA.group } });
    expect(readGroupDocument(got.body)).toMatchObject({
      uri: GROUP,
      members: [{ uri: ALICE }, { uri: BOB }],
    });
    const { revision } = (await world.it.core.context.admin.group(GROUP))!;
    expect(got.headers.etag).toBe(`"${revision}"`);
  });

  it("is for its managers too, but not the keys", async () => {
    expect((await ask(GROUP_PATH, { as: MANAGER })).status).toBe(200);
    expect((await ask(GROUP_KEYS, { as: MANAGER })).status).toBe(404);
    expect((await ask(keysPath(MANAGER), { as: MANAGER })).status).toBe(404);
  });

  it("leaves out servers that get the key", async () => {
    const { admin } = world.it.core.context;
    await admin.addMembers(operator("operator"), GROUP, [
      { uri: "sip:mcx@home.example", kind: "mcx-server" },
    ]);
    const got = await ask(GROUP_PATH);
    expect(readGroupDocument(got.body).members).toEqual([{ uri: ALICE }, { uri: BOB }]);
  });

  it("comes without its members on request", async () => {
    const got = await ask(GROUP_PATH, { method: "POST", type: MEDIA.gmop, body: writeGmopRequest() });
    expect(got).toMatchObject({ status: 200, headers: { "content-type": MEDIA.group } });
    expect(readGroupDocument(got.body)).not.toHaveProperty("members");
    expect(got.headers.etag).toBe((await ask(GROUP_PATH)).headers.etag);
    const other = writeGmopRequest().replace("get-excluding-memberlist", "group-regroup-creation");
    expect(await ask(GROUP_PATH, { method: "POST", type: MEDIA.gmop, body: other })).toMatchObject({
      status: 409,
      headers: { "content-type": MEDIA.xcapError },
    });
  });
});

describe("a document of keys", () => {
  it("has the member's own messages, which it opens", async () => {
    const { body, headers, status } = await ask(keysPath(ALICE));
    expect(status).toBe(200);
    expect(headers).toMatchObject({ "content-type": MEDIA.gktp, "cache-control": "no-store" });
    const [entry, ...more] = readGktpDocument(body);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({ id: ALICE, activationTime: expect.any(Number) });
    const opened = await world.it.world.open(entry!.octets, ALICE);
    expect(opened.outcome).toBe("accepted");
  });

  it("is the same under the group, for each reader their own", async () => {
    const [alices] = await world.it.messages(ALICE);
    const [bobs] = await world.it.messages(BOB);
    const mine = await ask(GROUP_KEYS);
    expect(mine.body).toContain(alices);
    expect(mine.body).not.toContain(bobs);
    expect((await ask(GROUP_KEYS, { as: BOB })).body).toContain(bobs);
  });

  it("exists without keys, with the entity tag 0", async () => {
    const { admin } = world.it.core.context;
    const late = "sip:late@home.example";
    await admin.addMembers(operator("operator"), GROUP, [{ uri: late }]);
    const got = await ask(keysPath(late), { as: late });
    expect(got).toMatchObject({ status: 200, headers: { etag: '"0"' } });
    expect(readGktpDocument(got.body)).toEqual([]);
  });
});

describe("conditional requests", () => {
  it("are answered 304 if the client has the document, by strong, weak and listed tags and by *", async () => {
    const { etag } = (await ask(keysPath(ALICE))).headers;
    for (const tags of [etag!, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const got = await ask(keysPath(ALICE), { headers: { "if-none-match": tags } });
      expect(got, tags).toMatchObject({ status: 304, body: "", headers: { etag } });
    }
    expect((await ask(keysPath(ALICE), { headers: { "if-none-match": '"x"' } })).status).toBe(200);
  });

  it("are answered 412 if the client has another", async () => {
    const { etag } = (await ask(GROUP_PATH)).headers;
    expect((await ask(GROUP_PATH, { headers: { "if-match": etag! } })).status).toBe(200);
    expect((await ask(GROUP_PATH, { headers: { "if-match": "*" } })).status).toBe(200);
    for (const tags of ['"x"', `W/${etag}`]) {
      expect((await ask(GROUP_PATH, { headers: { "if-match": tags } })).status, tags).toBe(412);
    }
  });

  it.each(["x", '"a', '"a" "b"', "", `"a",${'"b",'.repeat(100)}"c"`])(
    "ignore the condition %j",
    async (tags) => {
      expect((await ask(GROUP_PATH, { headers: { "if-none-match": tags } })).status).toBe(400);
    },
  );
});

describe("parts of documents", () => {
  const NS = "?xmlns(l=urn:oma:xml:poc:list-service)";
  it("are elements and attributes", async () => {
    const entry = encodeURIComponent(`group/list-service/list/entry[@uri="${BOB}"]`);
    const element = await ask(`${GROUP_PATH}/~~/${entry}`);
    expect(element).toMatchObject({ status: 200, headers: { "content-type": MEDIA.xcapElement } });
    expect(element.body).toContain(BOB);
    expect(element.body).not.toContain(ALICE);
    const attribute = await ask(`${GROUP_PATH}/~~/l:group/l:list-service/@uri${NS}`);
    expect(attribute).toMatchObject({
      status: 200,
      body: GROUP,
      headers: { "content-type": MEDIA.xcapAttribute },
    });
    expect(attribute.headers.etag).toBe((await ask(GROUP_PATH)).headers.etag);
  });

  it("are single messages", async () => {
    const path = `${keysPath(ALICE)}/~~/GKTPs/GMK-GKTPs/GKTP%5b1%5d`;
    expect((await ask(`${path}/@id`)).body).toBe(ALICE);
    expect((await ask(path)).body).toContain((await world.it.messages(ALICE))[0]);
  });

  it.each([
    ["that is not there", "group/list-service/nothing", 404],
    ["that is several", "*/*/list/entry", 404],
    ["with a prefix that is not declared", "x:group", 400],
    ["of a form that is not supported", "group//entry", 400],
  ])("are refused: one %s", async (_, selector, status) => {
    expect((await ask(`${GROUP_PATH}/~~/${selector}`)).status).toBe(status);
  });

  it("are read only", async () => {
    for (const method of ["PUT", "DELETE", "POST"]) {
      const got = await ask(`${GROUP_PATH}/~~/group/list-service`, { method });
      expect(got).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    }
  });
});

describe("XCAP collections", () => {
  it("list the documents below and their entity tags", async () => {
    const got = await ask(COLLECTION);
    expect(got).toMatchObject({ status: 200, headers: { "content-type": MEDIA.xcapDiff } });
    const { documents, xcapRoot } = readXcapDiff(got.body);
    expect(xcapRoot).toMatch(/^http:\/\/.+\/xcap\/$/);
    expect(documents).toHaveLength(1);
    const document = await ask(`${ROOT}/${documents[0]!.sel}`);
    expect(document.headers.etag).toBe(`"${documents[0]!.newEtag}"`);
  });

  it.each(["org.openmobilealliance.groups", "org.3gpp.MCPTT-GKTP"])(
    "of %s list the user's groups",
    async (auid) => {
      const path = `${ROOT}/${auid}/global/byGroupID/`;
      const { documents } = readXcapDiff((await ask(path)).body);
      expect(documents).toHaveLength(1);
      const document = await ask(`${ROOT}/${documents[0]!.sel}`);
      expect(document.headers.etag).toBe(`"${documents[0]!.newEtag}"`);
      expect(readXcapDiff((await ask(path, { as: MANAGER })).body).documents).toEqual([]);
    },
  );

  it("the XCAP server has a document of capabilities", async () => {
    const got = await ask(`${ROOT}/xcap-caps/global/index`);
    expect(got).toMatchObject({ status: 200, headers: { "content-type": MEDIA.xcapCaps } });
    expect(got.body).toContain("org.3gpp.MCPTT-GKTP");
  });
});
