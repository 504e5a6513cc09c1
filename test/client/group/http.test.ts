/** Keys fetched over HTTP (5.7.2.y): when, with which conditions, and what the GMS is told. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  gktpGroupPath,
  groupDocumentPath,
  MEDIA,
  writeGktpDocument,
  writeMultipart,
} from "../../../documents/group-xml/index.ts";
import { createGroupClient, type GroupClientOptions } from "../../../roles/group-keys/index.ts";
import { EVENT } from "../../../transport/sip/index.ts";
import { flip } from "../../support/error-code.ts";
import {
  ALICE,
  BOB,
  BreakingStorage,
  GROUP,
  type GroupWorld,
  makeGroupWorld,
  OTHER_GROUP,
} from "./device.ts";
import { adding, diff, GKTP, listed, TestGms } from "./gms.ts";
import { TestXcap } from "./xcap.ts";

const MINUTE = 60_000;
const FAILED = "failed 136 authentication of the MIKEY-SAKKE I_MESSAGE failed";

let world: GroupWorld;
let gms: TestGms;
let xcap: TestXcap;

beforeAll(async () => {
  world = await makeGroupWorld();
});
beforeEach(async () => {
  gms = await TestGms.create(world);
  xcap = new TestXcap();
  xcap.putGroup();
  xcap.putKeys();
});
afterEach(async () => {
  await gms.stop();
  await gms.close();
});

const HTTP = { way: "http" } as const;
const start = (options: Partial<GroupClientOptions> = {}) => {
  const { fetch } = xcap;
  return gms.start({ ...HTTP, fetch, ...options });
};
/** Starts a client that has no SIP endpoint. */
const startAlone = (options: Partial<GroupClientOptions> = {}) =>
  start({ sip: undefined, ...options } as never);
const failures = () =>
  gms.events
    .splice(0)
    .flatMap((event) => (event.type === "failed" ? [(event.error as { code: string }).code] : []));

describe("polling of XCAP documents", () => {
  it("fetches with the token, then only what has changed", async () => {
    const [first, second] = [await world.seal(), await world.seal()];
    xcap.putKeys(first.octets);
    await startAlone();
    expect(xcap.requests[0]).toMatchObject({
      path: GKTP,
      headers: { authorization: "Bearer token-1", accept: "application/xml" },
    });
    expect(xcap.requests[0]!.headers).not.toHaveProperty("if-none-match");
    expect(xcap.take()).toEqual(["GET keys 200", "POST keys 204", "GET group 200"]);
    expect(gms.ring.current(GROUP)!.gmkId).toBe(first.gmk.keyId);
    await gms.pass(1.3 * MINUTE);
    expect(xcap.take()).toEqual(["GET keys 304", "GET group 304"]);
    xcap.putKeys(first.octets, second.octets);
    await gms.pass(1.3 * MINUTE);
    expect(xcap.take().slice(0, 3)).toEqual(["GET keys 200", "POST keys 204", "GET group 304"]);
    expect(gms.outcomes()).toEqual(["stored", "known", "stored"]);
    expect(xcap.reports).toEqual(["stored ", "stored "]);
  });

  it("reports once what a check refused, with the text of the Warning", async () => {
    const good = await world.seal();
    const bad = flip((await world.seal()).octets, 8 * 600);
    xcap.putKeys(good.octets, bad, (await world.seal({ to: BOB })).octets);
    await startAlone();
    expect(xcap.reports).toEqual(["stored ", FAILED, FAILED]);
    xcap.putKeys(bad);
    await gms.pass(5 * MINUTE);
    expect(xcap.reports).toHaveLength(3);
    expect(gms.ring.keys()).toHaveLength(1);
  });

  it("does not report a failure of the client itself, and fetches the message again", async () => {
    const disk = new BreakingStorage();
    gms.storage = disk;
    disk.writes = false;
    // The first put says since when the ring is there.
    disk.breakAt = 2;
    xcap.putKeys((await world.seal()).octets);
    await startAlone();
    expect(xcap.take()).toEqual(["GET keys 200"]);
    disk.breakAt = Number.POSITIVE_INFINITY;
    await gms.pass(5000);
    expect(xcap.take()).toEqual(["GET keys 200", "POST keys 204", "GET group 200"]);
    expect(gms.outcomes()).toEqual(["failed", "stored"]);
  });

  it("repeats a report that did not arrive, but not to a GMS that does not know it", async () => {
    xcap.putKeys((await world.seal()).octets);
    xcap.reportStatus = 503;
    await startAlone();
    expect(failures()).toEqual(["XCAP_REFUSED"]);
    xcap.reportStatus = 204;
    xcap.take();
    await gms.pass(5000);
    expect(xcap.take()).toEqual(["GET keys 304", "POST keys 204", "GET group 200"]);
    xcap.reportStatus = 405;
    xcap.putKeys((await world.seal()).octets);
    await gms.pass(5 * MINUTE);
    expect(xcap.take().filter((line) => line === "POST keys 405")).toHaveLength(1);
    expect(failures()).toEqual([]);
  });

  it("reads the documents of single groups where a GMS has those", async () => {
    const { octets } = await world.seal();
    xcap.put(gktpGroupPath(GROUP), writeGktpDocument([{ id: ALICE, octets }]));
    await startAlone({ gktpTree: "group" });
    expect(gms.ring.current(GROUP)).toBeDefined();
    expect(xcap.requests[0]!.path).toBe(gktpGroupPath(GROUP));
  });

  it("learns from the group document that the user is no member, and drops the group's keys", async () => {
    const shared = await world.seal({ groups: [GROUP, OTHER_GROUP] });
    const own = await world.seal();
    xcap.putGroup(OTHER_GROUP);
    xcap.putKeys(own.octets, shared.octets);
    await startAlone({ groups: "all" });
    expect(gms.ring.groups()).toEqual([GROUP, OTHER_GROUP]);
    gms.events.length = 0;
    xcap.documents.delete(groupDocumentPath(GROUP));
    xcap.putKeys(shared.octets);
    await gms.pass(1.3 * MINUTE);
    expect(gms.ring.groups()).toEqual([OTHER_GROUP]);
    expect(gms.events).toContainEqual({ type: "not-member", groupUri: GROUP });
  });
});

describe("a failed XCAP request", () => {
  it("is tried again, later each time, and when the server says", async () => {
    let times = 0;
    xcap.intercept = () => {
      times++;
      return new Response(null, { status: 503, headers: { "retry-after": "100" } });
    };
    await startAlone();
    await gms.pass(99_000);
    expect(times).toBe(1);
    await gms.pass(4000);
    expect(times).toBe(2);
    expect(failures()).toEqual(["XCAP_REFUSED", "XCAP_REFUSED"]);
    xcap.intercept = () => undefined;
    await gms.group.refresh();
    expect(gms.types()).toContain("fetched");
  });

  it.each<[string, () => Response]>([
    [
      "XCAP_REDIRECT",
      () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }),
    ],
    [
      "XCAP_UNREACHABLE",
      () => {
        throw new TypeError("no route");
      },
    ],
    ["XCAP_REFUSED", () => new Response(null, { status: 500 })],
    ["XML_NOT_WELL_FORMED", () => new Response("<html>", { status: 200 })],
    ["GROUP_XML_ROOT", () => new Response("<html/>", { status: 200 })],
    ["XCAP_ANSWER_TOO_LARGE", () => new Response(new Uint8Array(17 << 20), { status: 200 })],
  ])("leaves all keys as they were after %s", async (code, answer) => {
    const { octets } = await world.seal();
    xcap.putKeys(octets);
    await startAlone();
    failures();
    xcap.putKeys();
    xcap.intercept = answer;
    await expect(gms.group.refresh()).rejects.toMatchObject({ code });
    await gms.pass(10);
    expect(failures()).toEqual([code]);
    expect(gms.ring.current(GROUP)).toBeDefined();
  });

  it("for an unreadable group document does not cost the group its keys", async () => {
    xcap.putKeys((await world.seal()).octets);
    xcap.put(groupDocumentPath(GROUP), "<html/>");
    await startAlone();
    expect(failures()).toEqual(["GROUP_XML_ROOT"]);
    expect(gms.ring.current(GROUP)).toBeDefined();
  });

  it("is aborted when the client ends", async () => {
    let signal: AbortSignal | undefined;
    xcap.intercept = (_, init) => {
      signal = init.signal;
      return new Promise((_resolve, reject) =>
        init.signal.addEventListener("abort", () => reject(new Error("aborted"))),
      );
    };
    await startAlone();
    expect(signal?.aborted).toBe(false);
    await gms.stop();
    expect(signal?.aborted).toBe(true);
    expect(failures()).toEqual([]);
    await gms.pass(10 * MINUTE);
    expect(xcap.requests).toEqual([]);
  });
});

describe("a client that fetches over HTTP and subscribes over SIP", () => {
  it("fetches when a NOTIFY says so, and asks for no patches", async () => {
    await start();
    expect(gms.subscribes[0]!.headers.get(EVENT)!.params.get("diff-processing")).toBe("no-patching");
    xcap.take();
    xcap.putKeys((await world.seal()).octets);
    expect(await gms.notify([{ sel: GKTP, newEtag: "v9", previousEtag: "0" }])).toMatchObject({
      status: 200,
    });
    await gms.pass(20);
    expect(xcap.take()).toEqual(["GET keys 200", "POST keys 204", "GET group 304"]);
    expect(xcap.reports).toEqual(["stored "]);
    await gms.pass(10 * MINUTE);
    expect(xcap.take()).toEqual([]);
    await gms.pass(10 * MINUTE);
    expect(xcap.take()).toEqual(["GET keys 304", "GET group 304"]);
  });

  it("accepts a revocation beside the diff, and answers it", async () => {
    const { octets, gmk } = await world.seal();
    xcap.putKeys(octets);
    await start();
    expect(gms.ring.current(GROUP)).toBeDefined();
    const revocation = await world.seal({ ...gmk, parameters: { revoked: true } });
    const parts = [
      { contentType: MEDIA.xcapDiff, body: diff([]).body! },
      { contentType: MEDIA.mikey, body: revocation.octets },
    ];
    expect(await gms.notify(writeMultipart(parts))).toMatchObject({ status: 200 });
    expect(gms.ring.current(GROUP)).toBeUndefined();
    const foreign = { contentType: MEDIA.mikey, body: (await world.seal({ to: BOB })).octets };
    expect(await gms.notify(writeMultipart([foreign]))).toMatchObject({ status: 488 });
  });

  it("looks at the documents before it gives up a group that the first NOTIFY does not list", async () => {
    xcap.putKeys((await world.seal()).octets);
    gms.current = () => diff([]);
    await start();
    expect(gms.ring.groups()).toEqual([GROUP]);
    await gms.stop();
    gms.ring.close();
    xcap.documents.delete(groupDocumentPath(GROUP));
    await start();
    expect(gms.ring.groups()).toEqual([]);
  });

  it("fetches over HTTP what a patch leaves open when its keys come in NOTIFYs", async () => {
    const [first, second] = [await world.seal(), await world.seal()];
    gms.current = () => diff([listed]);
    await start({ way: "sip" });
    expect(xcap.take()).toEqual([]);
    xcap.putKeys(first.octets, second.octets);
    const patches = adding(second.octets);
    const documents = [{ sel: GKTP, newEtag: "5", previousEtag: "4", patches }];
    expect(await gms.notify(documents)).toMatchObject({ status: 200 });
    await gms.pass(20);
    expect(gms.outcomes()).toEqual(["stored", "stored", "known"]);
    expect(gms.subscribes).toHaveLength(1);
    expect(xcap.take()).toEqual(["GET keys 200", "POST keys 204", "GET group 200"]);
    await gms.pass(60 * MINUTE);
    expect(xcap.take()).toEqual([]);
  });
});

it("a group client without the servers that its mode of delivery needs is refused", async () => {
  await start();
  const options = { userUri: ALICE, ring: gms.ring, groups: [GROUP] };
  const make = (more: object) => () => createGroupClient({ ...options, ...more } as never);
  expect(make({ way: "sip", gms: { uri: "x" } })).toThrow("sip and gms.sipUri are needed");
  expect(make({ way: "http", gms: { uri: "x" } })).toThrow("fetch and gms.xcapRoot are needed");
  const http = { way: "http", gms: { uri: "x", xcapRoot: "https://x" }, fetch: xcap.fetch };
  expect(make({ ...http, groups: "all", gktpTree: "group" })).toThrow("names of the groups");
  expect(make({ ...http, userUri: BOB })).toThrow("another user's");
});
