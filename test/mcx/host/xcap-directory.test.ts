/** Members of a group as the MCX server knows them, from a GMS over XCAP. */

import { beforeEach, describe, expect, it } from "vitest";
import { writeGroupDocument } from "../../../documents/group-xml/index.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import { XcapDirectory } from "../../../roles/mcx/xcap-directory.ts";
import { GROUP, ROOT, sharedXcapWorld } from "../../gms/http/xcap.ts";
import { memberUri } from "../../gms/memory-gms.ts";
import { VirtualClock } from "../../support/clock.ts";

const SERVER = "sip:mcx@home.example";
const NOWHERE = "sip:nowhere@home.example";
const [MAX_AGE, PATIENCE] = [2000, 10_000];
const world = sharedXcapWorld({ config: { groupReaders: [SERVER] } });

let clock: VirtualClock;
let directory: XcapDirectory;
let isReachable: boolean;
/** The document of another GMS, in place of ours. */
let document: string | undefined;
let requests: number;
let changed: string[];

beforeEach(() => {
  clock = new VirtualClock();
  isReachable = true;
  document = undefined;
  requests = 0;
  changed = [];
  directory = new XcapDirectory({
    xcapRoot: `http://xcap.example${ROOT}`,
    async fetch(url, { headers, method }) {
      requests++;
      if (!isReachable) throw new Error("no route");
      if (document !== undefined) return new Response(document);
      const path = url.slice("http://xcap.example".length);
      const {
        status,
        headers: answered,
        body,
      } = await world.it.ask(path, { token: headers.authorization!.slice(7), headers, method });
      return new Response(status === 304 ? null : body, { status, headers: { etag: answered.etag ?? "" } });
    },
    token: () => world.it.token(SERVER),
    maxAgeMs: MAX_AGE,
    patienceMs: PATIENCE,
    now: () => clock.now(),
    clock,
    inUse: () => [GROUP],
  });
  directory.onChange((group) => changed.push(group));
});

describe("the directory of users and groups", () => {
  it("knows members, non-members, and groups that do not exist", async () => {
    expect(await directory.member(GROUP, memberUri(0))).toMatchObject({ uri: memberUri(0) });
    expect(await directory.member(GROUP, "sip:mallory@home.example")).toBeUndefined();
    expect(await directory.member(NOWHERE, memberUri(0))).toBeUndefined();
  });

  it("gives each member the floor priority of the group document, and 1 where it has none", async () => {
    const [usual, urgent, beyond] = [0, 1, 2].map(memberUri) as [string, string, string];
    const members = [{ uri: usual }, { uri: urgent, priority: 200 }, { uri: beyond, priority: 1000 }];
    document = writeGroupDocument({ uri: GROUP, displayName: "", members, services: [], unprotected: [] });
    const given = await Promise.all([usual, urgent, beyond].map((user) => directory.member(GROUP, user)));
    expect(given.map((member) => member?.priority)).toEqual([1, 200, 255]);
    directory.start();
    document = document.replace(">200<", ">7<");
    await clock.pass(MAX_AGE);
    await expect.poll(() => changed).toEqual([GROUP]);
    expect(await directory.member(GROUP, urgent)).toMatchObject({ priority: 7 });
    directory.stop();
  });

  it("has the rules of the group document, with the member's own priority", async () => {
    const { admin } = world.it.core.context;
    const uri = "sip:ruled@home.example";
    const rules = { services: ["mcptt"] as const, maxParticipants: 12, hangTimer: 30 };
    const unprotected = ["mcdata-protect-media", "protect-media"];
    const settings = { ...rules, unprotected };
    await admin.createGroup(operator("operator"), {
      uri,
      members: [{ uri: memberUri(0), priority: 255 }],
      settings,
    });
    expect(await directory.member(uri, memberUri(0))).toEqual({
      uri: memberUri(0),
      priority: 255,
      group: { ...rules, unprotected: ["protect-media"] },
    });
    await admin.deleteGroup(operator("operator"), uri);
  });

  it("does not ask the GMS at each guess at a group name, nor forgets groups for guesses", async () => {
    await directory.member(GROUP, memberUri(0));
    for (let n = 0; n < 20; n++) await directory.member(NOWHERE, memberUri(n));
    expect(requests).toBe(2);
    await clock.pass(9000);
    await directory.member(NOWHERE, memberUri(0));
    expect(requests).toBe(2);
    await clock.pass(1000);
    await directory.member(NOWHERE, memberUri(0));
    expect(requests).toBe(3);
  });

  it("asks again only when its answer is old, and once for many callers", async () => {
    await Promise.all([0, 1, 0, 1].map((n) => directory.member(GROUP, memberUri(n))));
    expect(requests).toBe(1);
    await clock.pass(MAX_AGE);
    await directory.member(GROUP, memberUri(0));
    expect(requests).toBe(2);
  });

  it("reports changes to groups in use", async () => {
    await directory.member(GROUP, memberUri(0));
    directory.start();
    const { admin } = world.it.core.context;
    await admin.removeMembers(operator("operator"), GROUP, [memberUri(1)]);
    await clock.pass(MAX_AGE);
    await expect.poll(() => changed).toEqual([GROUP]);
    expect(await directory.member(GROUP, memberUri(1))).toBeUndefined();
    directory.stop();
    await admin.addMembers(operator("operator"), GROUP, [{ uri: memberUri(1) }]);
  });

  it("uses its last answer for a while when the GMS is away, then knows nobody", async () => {
    await directory.member(GROUP, memberUri(0));
    isReachable = false;
    await clock.pass(MAX_AGE);
    expect(await directory.member(GROUP, memberUri(0))).toBeDefined();
    await clock.pass(PATIENCE);
    await expect(directory.member(GROUP, memberUri(0))).rejects.toMatchObject({ code: "XCAP_UNREACHABLE" });
    expect(changed).toEqual([GROUP]);
    isReachable = true;
    expect(await directory.member(GROUP, memberUri(0))).toBeDefined();
  });
});
