/** Group documents that managers put and delete. */

import { beforeEach, describe, expect, it } from "vitest";
import {
  type GroupDocument,
  groupDocumentPath,
  MEDIA,
  readGroupDocument,
  readXcapError,
  writeGroupDocument,
} from "../../../documents/group-xml/index.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import {
  ALICE,
  type Asked,
  BOB,
  CREATOR,
  type Got,
  MALLORY,
  MANAGER,
  ROOT,
  sharedXcapWorld,
} from "./xcap.ts";

const world = sharedXcapWorld();
let count = 0;
let group: string;
let path: string;
const admin = () => world.it.core.context.admin;

/** Each test has a group of its own. */
beforeEach(async () => {
  group = `sip:group${++count}@home.example`;
  path = `${ROOT}/${groupDocumentPath(group)}`;
  const members = [ALICE, BOB].map((uri) => ({ uri }));
  await admin().createGroup(operator("operator"), {
    uri: group,
    members: [...members, { uri: "sip:mcx@home.example", kind: "mcx-server" }],
    settings: { managers: [MANAGER], rekeyEveryMs: 86_400_000 },
  });
});

function document(changes: Partial<GroupDocument> = {}): string {
  return writeGroupDocument({
    uri: group,
    displayName: "Fire",
    members: [{ uri: ALICE }, { uri: BOB }],
    services: ["mcptt", "mcdata"],
    unprotected: ["protect-floor-control-signalling"],
    ...changes,
  });
}

const put = (body: string | Uint8Array, asked: Asked = {}): Promise<Got> =>
  world.it.ask(path, { as: MANAGER, method: "PUT", type: MEDIA.group, body, ...asked });
const etagOf = async () => (await world.it.ask(path, { as: MANAGER })).headers.etag!;
const membersOf = async () => (await admin().members(group, { limit: 100 })).map(({ uri }) => uri);

describe("PUT of a group document", () => {
  it("changes settings and members, and brings a new GMK when somebody was removed", async () => {
    const carol = "sip:carol@home.example";
    const got = await put(document({ members: [{ uri: ALICE }, { uri: carol }] }));
    expect(got).toMatchObject({ status: 200, body: "", headers: { etag: await etagOf() } });
    const changed = (await admin().group(group))!;
    expect(changed.settings).toMatchObject({
      displayName: "Fire",
      services: ["mcptt", "mcdata"],
      unprotected: ["protect-floor-control-signalling"],
      managers: [MANAGER],
      rekeyEveryMs: 86_400_000,
    });
    // The server stays, though no document lists it.
    expect(await membersOf()).toEqual([carol, "sip:mcx@home.example", ALICE]);
    expect(await admin().gmks(group)).toMatchObject([{ state: "retired" }, { state: "live" }]);
    expect((await world.it.audit()).at(-1)).toMatchObject({ actor: MANAGER, action: "group-replace" });
    expect((await world.it.ask(path, { as: BOB })).status).toBe(404);
  });

  it("keeps all that the document says of group and members, until another document replaces it", async () => {
    const extension = (text: string) => ({
      local: "ruleset",
      namespace: "urn:ietf:params:xml:ns:common-policy",
      text,
    });
    const whole = document({
      members: [
        { uri: ALICE, priority: 255, extensions: [extension("of a member")] },
        { uri: BOB, priority: 0 },
      ],
      inviteMembers: true,
      priority: 7,
      maxParticipants: 12,
      hangTimer: 30,
      voiceEncodings: ["AMR-WB", "EVS"],
      extensions: [extension("of the group")],
    });
    expect((await put(whole)).status).toBe(200);
    const rekeys = (await admin().gmks(group)).length;
    const read = readGroupDocument((await world.it.ask(path, { as: MANAGER })).body);
    const byUri = (a: { uri: string }, b: { uri: string }) => (a.uri < b.uri ? -1 : 1);
    expect({ ...read, members: read.members!.toSorted(byUri) }).toEqual({
      ...readGroupDocument(whole),
      members: [...readGroupDocument(whole).members!].sort(byUri),
    });
    expect((await put(document())).status).toBe(200);
    expect(readGroupDocument((await world.it.ask(path, { as: MANAGER })).body)).toEqual(
      expect.not.objectContaining({ priority: 7, extensions: expect.anything() }),
    );
    expect(await admin().members(group, { limit: 100 })).toEqual(
      expect.arrayContaining([{ uri: ALICE, kmsUri: expect.any(String), kind: "user" }]),
    );
    // Nobody has come or gone, so nobody needs another key.
    expect((await admin().gmks(group)).length).toBe(rekeys);
    const urgent = await put(document({ members: [{ uri: ALICE, priority: 256 }] }));
    expect([urgent.status, readXcapError(urgent.body).condition]).toEqual([409, "constraint-failure"]);
  });

  it("obeys If-Match and If-None-Match", async () => {
    const etag = await etagOf();
    const refused = [{ "if-match": '"999"' }, { "if-none-match": "*" }, { "if-none-match": etag }];
    for (const headers of refused) {
      expect((await put(document(), { headers: headers as Record<string, string> })).status).toBe(412);
    }
    expect(await etagOf()).toBe(etag);
    expect((await put(document(), { headers: { "if-match": etag } })).status).toBe(200);
    expect((await put(document(), { headers: { "if-match": etag } })).status).toBe(412);
    expect((await put(document(), { headers: { "if-match": "*" } })).status).toBe(200);
  });

  it("succeeds for one of two requests with one entity tag", async () => {
    const headers = { "if-match": await etagOf() };
    const both = await Promise.all([put(document(), { headers }), put(document(), { headers })]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  it("with the entity tag of a group that was deleted and made again does nothing", async () => {
    const etag = await etagOf();
    await admin().deleteGroup(operator("operator"), group);
    const settings = { managers: [MANAGER] };
    await admin().createGroup(operator("operator"), { uri: group, members: [{ uri: ALICE }], settings });
    expect((await put(document(), { headers: { "if-match": etag } })).status).toBe(412);
    const read = await world.it.ask(path, { as: ALICE, headers: { "if-none-match": etag } });
    expect(read.status).toBe(200);
    expect(await membersOf()).toEqual([ALICE]);
  });

  it("gives nobody the key of another group, which others manage", async () => {
    const other = `sip:other${count}@home.example`;
    const carol = { uri: "sip:carol@home.example" };
    await admin().createGroup(operator("operator"), { uri: other, members: [carol] });
    await admin().rekey(operator("operator"), group, { sharedWith: [other] });
    const etag = await etagOf();
    const more = document({ members: [{ uri: ALICE }, { uri: BOB }, { uri: MALLORY }] });
    expect((await put(more)).status).toBe(403);
    expect(await etagOf()).toBe(etag);
    expect((await put(document({ members: [{ uri: ALICE }] }))).status).toBe(200);
    await admin().changeGroup(operator("operator"), other, { managers: [MANAGER] });
    expect((await put(more)).status).toBe(200);
  });

  it("without conditions waits for its turn", async () => {
    const both = await Promise.all([put(document()), put(document({ displayName: "Water" }))]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
  });

  const conflicts: [string, string, () => string | Uint8Array][] = [
    ["that is no XML", "not-well-formed", () => "<group"],
    ["that is not UTF-8", "not-utf-8", () => new Uint8Array([0x3c, 0xc0, 0x80])],
    ["of another root", "schema-validation-error", () => '<list xmlns="urn:oma:xml:poc:list-service"/>'],
    [
      "without list-service",
      "schema-validation-error",
      () => '<group xmlns="urn:oma:xml:poc:list-service"/>',
    ],
    ["of another group", "constraint-failure", () => document({ uri: "sip:other@home.example" })],
    ["without a list", "constraint-failure", () => document().replace(/<list>.*<\/list>/s, "")],
    [
      "with a member twice",
      "uniqueness-failure",
      () => document().replace(/<list>/, `<list><entry uri="${ALICE}"/>`),
    ],
    [
      "with a member that is no URI",
      "constraint-failure",
      () => document({ members: [{ uri: "not a URI" }] }),
    ],
    ["with a name too long", "constraint-failure", () => document({ displayName: "x".repeat(2000) })],
  ];
  it.each(conflicts)("that is a document %s is a conflict: %s", async (_, condition, body) => {
    const etag = await etagOf();
    const got = await put(body());
    expect(got, got.body).toMatchObject({ status: 409, headers: { "content-type": MEDIA.xcapError } });
    expect(readXcapError(got.body)).toMatchObject({ condition, phrase: expect.stringMatching(/./) });
    expect(await etagOf()).toBe(etag);
  });

  it("of another type is refused", async () => {
    for (const type of ["application/xml", "text/plain", MEDIA.gktpReport]) {
      expect((await put(document(), { type })).status).toBe(415);
    }
  });

  it("is for managers: to members forbidden, to others there is no such group", async () => {
    const before = await etagOf();
    expect((await put(document(), { as: ALICE })).status).toBe(403);
    expect((await put(document(), { as: MALLORY })).status).toBe(404);
    expect((await put(document(), { as: null })).status).toBe(403);
    expect(await etagOf()).toBe(before);
  });
});

describe("PUT of a new group", () => {
  const NEW = "sip:new@home.example";
  const newPath = `${ROOT}/${groupDocumentPath(NEW)}`;
  const create = (as: string, headers: Record<string, string> = {}) =>
    world.it.ask(newPath, {
      as,
      method: "PUT",
      type: MEDIA.group,
      body: document({ uri: NEW }),
      headers,
    });

  it("is for those who may make groups, who then manage it", async () => {
    expect((await create(MALLORY)).status).toBe(404);
    expect((await create(MANAGER)).status).toBe(404);
    expect((await create(CREATOR, { "if-match": "*" })).status).toBe(412);
    const got = await create(CREATOR, { "if-none-match": "*" });
    expect(got).toMatchObject({ status: 201, headers: { etag: expect.stringMatching(/^"\d+"$/) } });
    expect((await admin().group(NEW))!.settings.managers).toEqual([CREATOR]);
    expect((await create(CREATOR)).status).toBe(200);
    await admin().deleteGroup(operator("operator"), NEW);
  });

  it("whose URI is in use is answered with free ones", async () => {
    await admin().createGroup(operator("operator"), { uri: "sip:new-2@home.example", members: [] });
    await admin().createGroup(operator("operator"), { uri: NEW, members: [] });
    const got = await create(CREATOR);
    expect(got.status).toBe(409);
    expect(readXcapError(got.body)).toMatchObject({
      condition: "uniqueness-failure",
      exists: [
        {
          field: "group/list-service/@uri",
          alternatives: ["sip:new-3@home.example", "sip:new-4@home.example", "sip:new-5@home.example"],
        },
      ],
    });
  });
});

describe("DELETE of a group document", () => {
  const remove = (as: string, headers: Record<string, string> = {}) =>
    world.it.ask(path, { as, method: "DELETE", headers });

  it("is for managers", async () => {
    expect((await remove(ALICE)).status).toBe(403);
    expect((await remove(MALLORY)).status).toBe(404);
    expect((await remove(MANAGER, { "if-match": '"999"' })).status).toBe(412);
    expect(await admin().group(group)).toBeDefined();
    expect((await remove(MANAGER, { "if-match": await etagOf() })).status).toBe(200);
    expect(await admin().group(group)).toBeUndefined();
    expect((await remove(MANAGER)).status).toBe(404);
  });
});
