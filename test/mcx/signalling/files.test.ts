/** Files of a group over HTTP: upload, notice, download and notification (TS 24.282 10.2, 12.2; TS 33.180 8.1). */
import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemRandom, utf8 } from "../../../bindings/index.ts";
import { FD_DISPOSITIONS } from "../../../bindings/mcdata/index.ts";
import { MEDIA, writeMcdataInfo, writeMultipart } from "../../../documents/group-xml/index.ts";
import type { FileFetch } from "../../../roles/client/mcx/file-types.ts";
import type { BoundClient } from "../../../roles/mcx/signalling/clients.ts";
import { parseMessage } from "../../../transport/sip/index.ts";
import { ALICE, BOB, CAROL, type Device, GROUP, MCX, McxWorld, OTHER, tokenOf, until } from "./mcx-server.ts";

const MAX = 70_000;
const FILE = {
  name: "plan.txt",
  mediaType: "text/plain",
  data: utf8("units to the north gate. ".repeat(2000)),
};

let world: McxWorld;
beforeEach(async () => {
  world = await McxWorld.create({
    files: { port: 0, maxBytes: MAX, totalBytes: 4 * (MAX + 1024), keep: 60 },
  });
  world.directory.groups.set(GROUP, new Set([ALICE, BOB]));
});
afterEach(() => world.close());

const fileFetch = fetch as unknown as FileFetch;

async function bound(user: string, given = fileFetch): Promise<Device> {
  const device = await world.device(user, { files: { url: world.files!.url(), fetch: given } });
  await device.client.bind();
  return device;
}

const filesOf = ({ events }: Device) => events.filter((event) => event.type === "file");
const toldOf = ({ events }: Device) => events.filter((event) => event.type === "file-notification");

describe("a file sent to a group", () => {
  it("is fetched and opened by the other members, and its sender is told", async () => {
    const kept: Uint8Array[] = [];
    const watching: FileFetch = (url, init) => {
      if (init.body) kept.push(init.body.slice());
      return fileFetch(url, init);
    };
    const [alice, bob, carol] = [await bound(ALICE, watching), await bound(BOB), await bound(CAROL)];
    const sent = await alice.client.sendFile(GROUP, FILE, { wantsCompletion: true, isMandatory: true });
    await until(() => filesOf(bob).length > 0);
    const [notice] = filesOf(bob);
    expect(notice).toMatchObject({ groupUri: GROUP, from: ALICE, isMandatory: true, ...sent });
    expect(await bob.client.fetchFile(notice!)).toEqual(FILE);
    await until(() => toldOf(alice).length > 0);
    const completed = { groupUri: GROUP, from: BOB, disposition: FD_DISPOSITIONS.COMPLETED, ...sent };
    expect(toldOf(alice)).toEqual([expect.objectContaining(completed)]);
    await until(() => world.counts.mcdata_brought === 2);
    expect([filesOf(alice), filesOf(carol), toldOf(bob), toldOf(carol)]).toEqual([[], [], [], []]);
    // Neither the upload nor any message has the name or the content in it.
    for (const octets of [...kept, ...world.recorded])
      for (const secret of [FILE.name, "north gate"]) expect(Buffer.from(octets).indexOf(secret)).toBe(-1);
    expect(kept).toHaveLength(1);
    // A member who leaves has the URL, and gets nothing more.
    world.directory.remove(GROUP, BOB);
    await expect(bob.client.fetchFile(notice!)).rejects.toMatchObject({ code: "FILE_REFUSED" });
    await expect(bob.client.sendFile(GROUP, FILE)).rejects.toMatchObject({ code: "FILE_REFUSED" });
  });

  it("is not reported as downloaded if its sender does not want that", async () => {
    const [alice, bob] = [await bound(ALICE), await bound(BOB)];
    await alice.client.sendFile(GROUP, FILE);
    await until(() => filesOf(bob).length > 0);
    expect((await bob.client.fetchFile(filesOf(bob)[0]!)).name).toBe(FILE.name);
    await alice.client.sendFile(GROUP, { ...FILE, data: utf8("x") });
    await until(() => filesOf(bob).length > 1);
    expect(toldOf(alice)).toEqual([]);
  });

  it("must be one of this server and this group", async () => {
    world.directory.groups.set(OTHER, new Set([ALICE]));
    const root = world.files!.url();
    const inOther = await upload({ group: OTHER });
    let location = "";
    const lying: FileFetch = async () => new Response(null, { status: 201, headers: { location } });
    const [alice, bob] = [await bound(ALICE, lying), await bound(BOB)];
    for (location of [inOther.headers.get("location")!, `${root}/${"0".repeat(32)}`, `${root}/x`])
      await expect(alice.client.sendFile(GROUP, FILE), location).rejects.toMatchObject({ status: 403 });
    const elsewhere = [
      "https://example.org/mcdata/fd/1",
      `${root}/../../x`,
      root,
      "nonsense",
      root.replace("//", "//a@"),
    ];
    for (location of elsewhere)
      await expect(alice.client.sendFile(GROUP, FILE), location).rejects.toMatchObject({
        code: "MCDATA_REFUSED",
      });
    const notice = { groupUri: GROUP, from: ALICE, dateTime: 0, conversationId: "", messageId: "" };
    const asked = { ...notice, wantsCompletion: false, isMandatory: false };
    for (const url of elsewhere)
      await expect(bob.client.fetchFile({ ...asked, url }), url).rejects.toMatchObject({
        code: "MCDATA_REFUSED",
      });
    expect(filesOf(bob)).toEqual([]);
    expect(world.counts.mcdata_taken).toBeUndefined();
  });

  it("is fetched although its sender may not be told, and nobody outside of the group may fetch it", async () => {
    const [alice, bob, carol] = [await bound(ALICE), await bound(BOB), await bound(CAROL)];
    await alice.client.sendFile(GROUP, FILE, { wantsCompletion: true });
    await until(() => filesOf(bob).length > 0);
    expect(await bob.client.fetchFile({ ...filesOf(bob)[0]!, from: CAROL })).toEqual(FILE);
    expect(bob.events.some(({ type }) => type === "refused")).toBe(true);
    expect([toldOf(carol), toldOf(alice)]).toEqual([[], []]);
  });

  it("that the store has changed is refused, and one that is too large is not read to its end", async () => {
    let answer = new Uint8Array();
    const storing: FileFetch = async (url, init) =>
      init.method === "POST" ? fileFetch(url, init) : new Response(answer);
    const [alice, bob] = [await bound(ALICE), await bound(BOB, storing)];
    await alice.client.sendFile(GROUP, FILE, { wantsCompletion: true });
    await until(() => filesOf(bob).length > 0);
    for (const [octets, code] of [
      [systemRandom(500), "MCDATA_REFUSED"],
      [new Uint8Array(), "MCDATA_REFUSED"],
      [new Uint8Array(17 << 20), "DOWNLOAD_TOO_LARGE"],
    ] as const) {
      answer = Uint8Array.from(octets);
      await expect(bob.client.fetchFile(filesOf(bob)[0]!)).rejects.toMatchObject({ code });
    }
    expect(toldOf(alice)).toEqual([]);
  });

  it("is refused by a client and a server without file distribution", async () => {
    const alice = await world.device(ALICE);
    await alice.client.bind();
    await expect(alice.client.sendFile(GROUP, FILE)).rejects.toMatchObject({ code: "NO_FILE_SERVER" });
    const bob = await bound(BOB);
    await bob.client.sendFile(GROUP, FILE);
    await until(() => alice.events.some((event) => event.type === "refused"));
    expect(filesOf(alice)).toEqual([]);
  });
});

describe("a file sent to one user", () => {
  it("is fetched and opened by them alone, under a key that is in nothing the server gets", async () => {
    const kept: Uint8Array[] = [];
    const watching: FileFetch = (url, init) => {
      if (init.body) kept.push(init.body.slice());
      return fileFetch(url, init);
    };
    const [alice, bob, carol] = [await bound(ALICE, watching), await bound(BOB), await bound(CAROL)];
    // Carol and Alice have no group in common.
    const sent = await alice.client.sendFileTo({ uri: CAROL }, FILE);
    await until(() => filesOf(carol).length > 0);
    const [notice] = filesOf(carol);
    expect(notice).toMatchObject({ groupUri: undefined, from: ALICE, wantsCompletion: false, ...sent });
    await expect(bob.client.fetchFile(notice!)).rejects.toMatchObject({ code: "FILE_REFUSED" });
    expect(await carol.client.fetchFile(notice!)).toEqual(FILE);
    // The key is gone with the file that it was for.
    await expect(carol.client.fetchFile(notice!)).rejects.toMatchObject({ code: "MCDATA_REFUSED" });
    await until(() => world.counts.mcdata_brought === 1);
    expect([filesOf(alice), filesOf(bob)]).toEqual([[], []]);
    expect(kept).toHaveLength(1);
    for (const octets of [...kept, ...world.recorded])
      for (const secret of [FILE.name, "north gate"]) expect(Buffer.from(octets).indexOf(secret)).toBe(-1);
  });

  it.each([
    ["uploaded for another user", { group: BOB, type: "one-to-one-fd" }],
    ["uploaded by another user", { group: CAROL, user: BOB, type: "one-to-one-fd" }],
    ["uploaded for a group", { group: GROUP }],
  ])("is refused by the server if it was %s", async (_, given) => {
    const location = (await upload(given)).headers.get("location")!;
    const lying: FileFetch = async () => new Response(null, { status: 201, headers: { location } });
    const [alice, carol] = [await bound(ALICE, lying), await bound(CAROL)];
    await expect(alice.client.sendFileTo({ uri: CAROL }, FILE)).rejects.toMatchObject({ status: 403 });
    expect([filesOf(carol), world.counts.mcdata_taken]).toEqual([[], undefined]);
  });

  it("is told of once, though its notice comes again, and opens all the same", async () => {
    const got: Uint8Array[] = [];
    const carol = await world.device(CAROL, {
      files: { url: world.files!.url(), fetch: fileFetch },
      incoming: (octets, pass) => {
        got.push(octets.slice());
        pass();
      },
    });
    await carol.client.bind();
    const alice = await bound(ALICE);
    await alice.client.sendFileTo({ uri: CAROL }, FILE);
    await until(() => filesOf(carol).length > 0);
    const { headers, body } = parseMessage(
      got.findLast((octets) => Buffer.from(octets).toString("latin1").startsWith("MESSAGE "))!,
    );
    const [{ contact, flow }] = world.clients.of(CAROL) as [BoundClient];
    const [contentType] = headers.texts("Content-Type") as [string];
    const again = { method: "MESSAGE", uri: contact, from: MCX, to: CAROL, contentType, body, peer: flow };
    expect(await world.endpoint.request(again)).toMatchObject({ status: 200 });
    expect(filesOf(carol)).toHaveLength(1);
    expect(await carol.client.fetchFile(filesOf(carol)[0]!)).toEqual(FILE);
  });

  it("is refused by its receiver if another user than the sender has signed its key", async () => {
    const alice = await world.device(ALICE, {
      files: { url: world.files!.url(), fetch: fileFetch },
      signer: () => signer,
    });
    let signer = ALICE;
    await alice.client.bind();
    const carol = await bound(CAROL);
    signer = BOB;
    await alice.client.sendFileTo({ uri: CAROL }, FILE);
    await until(() => carol.events.some(({ type }) => type === "refused"));
    expect(filesOf(carol)).toEqual([]);
  });
});

interface Upload {
  readonly group?: string;
  readonly user?: string;
  readonly token?: string;
  readonly type?: string;
  readonly octets?: Uint8Array;
}

function upload({
  group = GROUP,
  user = ALICE,
  token = tokenOf(user),
  type = "group-fd",
  octets = utf8("x"),
}: Upload) {
  const info = writeMcdataInfo({ requestType: type, requestUri: group, callingUser: user });
  const { contentType, body } = writeMultipart([
    { contentType: MEDIA.mcdataInfo, body: utf8(info) },
    { contentType: "application/octet-stream", body: octets },
  ]);
  const headers = { authorization: `Bearer ${token}`, "content-type": contentType };
  return fetch(world.files!.url(), { method: "POST", headers, body: Uint8Array.from(body) });
}

describe("the server of files", () => {
  it("accepts uploads of members, up to their limits", async () => {
    const statusOf = async (given: Upload) => (await upload(given)).status;
    expect(await statusOf({ token: "nonsense" })).toBe(401);
    expect(await statusOf({ user: CAROL })).toBe(403);
    expect(await statusOf({ user: BOB, token: tokenOf(ALICE) })).toBe(403);
    expect(await statusOf({ type: "group-sds" })).toBe(403);
    expect(await statusOf({ octets: new Uint8Array(MAX + 1) })).toBe(413);
    expect(await statusOf({ octets: new Uint8Array(MAX + (64 << 10)) })).toBe(413);
    // A quarter of the store is a user's; the others' is still there.
    expect(await statusOf({ octets: new Uint8Array(MAX) })).toBe(201);
    expect(await statusOf({})).toBe(507);
    expect(await statusOf({ user: BOB })).toBe(201);
    world.later = 61_000;
    expect(await statusOf({})).toBe(201);
  });

  it("accepts as many uploads at a time as the store has room for", async () => {
    const { port } = new URL(world.files!.url());
    const headers = {
      authorization: `Bearer ${tokenOf(ALICE)}`,
      "content-type": "multipart/mixed; boundary=a",
    };
    const begun = [0, 1].map(() => {
      const one = request({
        port,
        path: "/mcdata/fd",
        method: "POST",
        headers: { ...headers, "content-length": MAX },
      });
      one.on("error", () => undefined).write("--a");
      return one;
    });
    const status = async () => (await upload({ user: BOB })).status;
    await expect.poll(status).toBe(503);
    for (const one of begun) one.destroy();
    await expect.poll(status).toBe(201);
  });

  it("answers other requests with the status that HTTP defines", async () => {
    const url = (await upload({})).headers.get("location")!;
    const root = world.files!.url();
    const ask = async (to: string, init: RequestInit, user = BOB) => {
      const headers = { authorization: `Bearer ${tokenOf(user)}`, ...init.headers };
      return (await fetch(to, { ...init, headers })).status;
    };
    expect(await ask(url, {})).toBe(200);
    expect(await ask(url, { method: "HEAD" })).toBe(200);
    expect(await ask(url, {}, CAROL)).toBe(403);
    expect((await fetch(url)).status).toBe(401);
    expect(await ask(`${root}/${"0".repeat(32)}`, {})).toBe(404);
    expect(await ask(`${url}/..`, {})).toBe(404);
    expect(await ask(`${root}/%2e%2e%2f`, {})).toBe(404);
    expect(await ask(url, { method: "DELETE" })).toBe(405);
    expect(await ask(root, {})).toBe(405);
    const post = (body: string, type: string) =>
      ask(root, { method: "POST", body, headers: { "content-type": type } });
    expect(await post("x", "text/plain")).toBe(415);
    expect(await post("x", "multipart/mixed")).toBe(400);
    expect(await post("--a\r\n\r\nx\r\n--a--\r\n", "multipart/mixed; boundary=a")).toBe(400);
    world.later = 61_000;
    expect(await ask(url, {})).toBe(404);
  });
});
