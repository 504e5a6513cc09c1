/** Group clients of our own GMS, over SIP and over HTTP: what each ends with, and what the GMS knows of it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createXcapServer } from "../../../roles/gms/http/server.ts";
import {
  createGroupClient,
  type GroupClient,
  type GroupClientEvent,
  type GroupClientOptions,
  GroupKeyRing,
  type XcapFetch,
} from "../../../roles/group-keys/index.ts";
import { MemoryStorage } from "../../../roles/identity/index.ts";
import { DevelopmentIssuer } from "../../../roles/server/development-tokens.ts";
import { createSipEndpoint, type SipEndpoint } from "../../../transport/sip/index.ts";
import { GMS_URI, HOME_KMS, memberUri, newMembers } from "../../gms/memory-gms.ts";
import { ADMIN, GROUP, Setup, XCAP_ROOT } from "../../gms/sip/support/gms.ts";
import { random } from "../../sip/support/endpoints.ts";

interface Device {
  readonly uri: string;
  readonly client: GroupClient;
  readonly ring: GroupKeyRing;
  readonly endpoint: SipEndpoint;
  readonly events: GroupClientEvent[];
  cut(): void;
}

let setup: Setup;
let devices: Device[];

beforeEach(async () => {
  setup = await Setup.create();
  devices = [];
});
afterEach(async () => {
  await stop(devices);
  for (const { endpoint } of devices) await endpoint.close();
  await setup.close();
});

/** Time has to pass, or the GMS's last NOTIFY is never answered. */
async function stop(some: readonly Device[]): Promise<void> {
  let isOver = false;
  void Promise.all(some.map(({ client }) => client.stop())).then(() => {
    isOver = true;
  });
  await setup.until(() => isOver, "the end of the subscriptions");
}

const gmsAddress = {
  uri: GMS_URI,
  kmsUri: HOME_KMS,
  sipUri: "sip:gms@10.0.0.1;transport=tcp",
  xcapRoot: XCAP_ROOT,
};

async function device(i: number, options: Partial<GroupClientOptions> = {}): Promise<Device> {
  const { clock, network, world } = setup;
  const uri = memberUri(i);
  const now = () => clock.now();
  const tcp = network.stream("TCP", { host: `10.2.0.${i}`, port: 5060 });
  const endpoint = createSipEndpoint({ transports: [tcp], clock, random, user: "ue" });
  await endpoint.start();
  const ring = await GroupKeyRing.open(new MemoryStorage(), { userUri: uri, now });
  const events: GroupClientEvent[] = [];
  const client = createGroupClient({
    userUri: uri,
    keys: () => world.member(i).keys,
    ring,
    gms: gmsAddress,
    groups: "all",
    way: "sip",
    sip: endpoint,
    token: () => setup.token(uri),
    now,
    clock,
    random,
    onEvent: (event) => events.push(event),
    ...options,
  });
  client.start();
  const made = { uri, client, ring, endpoint, events, cut: () => tcp.cut() };
  devices.push(made);
  return made;
}

/** The GMK-ID to send with. */
const current = ({ ring }: Device) => ring.current(GROUP)?.gmkId;
const { admin } = { admin: () => setup.gms.context.admin };
const finished = (rekey: number) =>
  setup.until(async () => (await admin().rekeyStatus(rekey)).state === "done", `the end of rekey ${rekey}`);

describe("clients over SIP", () => {
  it("get a key and the next one, lose it by revocation, and report each to the GMS", async () => {
    const { rekeys } = await admin().createGroup(ADMIN, { uri: GROUP, members: newMembers(2) });
    const [a, b] = [await device(0), await device(1)];
    await finished(rekeys[0]!.id);
    expect(await setup.states(rekeys[0]!.id)).toEqual(["acknowledged", "acknowledged"]);
    expect([current(a), current(b)]).toEqual([rekeys[0]!.gmkId, rekeys[0]!.gmkId]);
    expect(a.ring.current(GROUP)!.key.reveal()).toEqual(b.ring.current(GROUP)!.key.reveal());
    expect(a.ring.current(GROUP)!.gukId).not.toBe(b.ring.current(GROUP)!.gukId);

    const rekey = await admin().rekey(ADMIN, GROUP, { text: "second" });
    await finished(rekey.id);
    expect([current(a), current(b)]).toEqual([rekey.gmkId, rekey.gmkId]);
    expect(a.ring.keys(GROUP)).toHaveLength(2);

    const revocation = await admin().revokeGmk(ADMIN, rekey.gmkId);
    await finished(revocation.id);
    expect(await setup.states(revocation.id)).toEqual(["acknowledged", "acknowledged"]);
    expect(a.ring.key(rekey.gmkId)).toMatchObject({ state: "revoked" });
    expect(current(a)).toBe(rekeys[0]!.gmkId);
  });

  it("that are removed lose the keys of the group, and the others get a new one", async () => {
    const { rekeys } = await admin().createGroup(ADMIN, { uri: GROUP, members: newMembers(2) });
    const [a, b] = [await device(0), await device(1)];
    await finished(rekeys[0]!.id);
    const changed = await admin().removeMembers(ADMIN, GROUP, [b.uri]);
    await finished(changed.rekeys[0]!.id);
    await setup.until(() => b.ring.groups().length === 0, "the member's leaving");
    expect(b.events).toContainEqual({ type: "not-member", groupUri: GROUP });
    expect(current(a)).toBe(changed.rekeys[0]!.gmkId);
    expect(b.ring.keys()).toEqual([]);
  });

  it("that were away learn what has happened", async () => {
    const { rekeys } = await admin().createGroup(ADMIN, { uri: GROUP, members: newMembers(2) });
    const [a, b] = [await device(0), await device(1)];
    await finished(rekeys[0]!.id);
    await stop([a, b]);
    await admin().createGroup(ADMIN, { uri: "sip:other@home.example", members: newMembers(1, 1) });
    const { rekeys: next } = await admin().removeMembers(ADMIN, GROUP, [b.uri]);
    a.client.start();
    b.client.start();
    await finished(next[0]!.id);
    expect(current(a)).toBe(next[0]!.gmkId);
    await setup.until(() => b.ring.groups().join() === "sip:other@home.example", "the other group's key");
  });

  it("with an empty ring get the present key sealed anew, and accept no older key sent to them", async () => {
    const { rekeys } = await admin().createGroup(ADMIN, { uri: GROUP, members: newMembers(2) });
    const a = await device(0);
    await setup.until(() => current(a) === rekeys[0]!.gmkId, "the key of who was there");
    await setup.pass(20 * 60_000);
    const b = await device(1);
    await setup.until(() => current(b) === rekeys[0]!.gmkId, "the key of the newcomer");
    const causes = (await admin().rekeys({ groupUri: GROUP, limit: 10 })).map(({ cause, total }) => [
      cause,
      total,
    ]);
    expect(causes).toEqual([
      ["client without keys", 1],
      ["group created", 2],
    ]);
    const [, told] = await setup.deliveries(rekeys[0]!.id);
    expect(told).toMatchObject({
      state: "refused",
      reason: expect.stringMatching(/^137 .*sealed anew in rekey/),
    });
    expect(b.events).toContainEqual(
      expect.objectContaining({
        type: "message",
        taken: expect.objectContaining({ error: expect.objectContaining({ code: "OLDER_THAN_RING" }) }),
      }),
    );
  });

  it("whose flow breaks go on", async () => {
    const { rekeys } = await admin().createGroup(ADMIN, { uri: GROUP, members: newMembers(1) });
    const a = await device(0);
    await finished(rekeys[0]!.id);
    a.cut();
    const rekey = await admin().rekey(ADMIN, GROUP);
    await finished(rekey.id);
    expect(current(a)).toBe(rekey.gmkId);
  });

  it("that refuse a message are known to the GMS by name, with the reason", async () => {
    const { rekeys } = await admin().createGroup(ADMIN, { uri: GROUP, members: newMembers(2) });
    const [a, b] = [
      await device(0),
      await device(1, { gms: { ...gmsAddress, uri: "sip:other-gms@home.example" } }),
    ];
    await finished(rekeys[0]!.id);
    const told = await setup.deliveries(rekeys[0]!.id);
    expect(told).toMatchObject([
      { memberUri: a.uri, state: "acknowledged", status: 200 },
      {
        memberUri: b.uri,
        state: "refused",
        status: 488,
        reason: "136 authentication of the MIKEY-SAKKE I_MESSAGE failed",
      },
    ]);
    expect(b.ring.keys()).toEqual([]);
  });
});

describe("a client over HTTP", () => {
  /** The two servers of these tests have an issuer each: requests over HTTP get a token of theirs here. */
  async function makeFetch(userUri: string): Promise<{ fetch: XcapFetch; requests: string[] }> {
    const issuer = await DevelopmentIssuer.create([
      { uri: GMS_URI, scopes: { "3gpp:mc:ptt_group_management_service": ["mcptt_id"] } },
    ]);
    const app = createXcapServer({ context: setup.gms.context, tokens: issuer.verifier(GMS_URI) });
    const requests: string[] = [];
    const fetch: XcapFetch = async (url, { method, headers, body }) => {
      const path = new URL(url).pathname;
      const authorization = `Bearer ${await issuer.token({ userUri, now: setup.clock.now() })}`;
      const all = { ...headers, authorization };
      const answer = await app.inject({ method, url: path, headers: all, ...(body && { payload: body }) });
      requests.push(`${method} ${path.includes("GKTP") ? "keys" : "group"} ${answer.statusCode}`);
      const empty = answer.statusCode === 204 || answer.statusCode === 304;
      return new Response(empty ? null : answer.body, {
        status: answer.statusCode,
        headers: answer.headers as Record<string, string>,
      });
    };
    return { fetch, requests };
  }

  it("fetches keys, reports, and learns over SIP of changes and of a revocation", async () => {
    const { rekeys } = await admin().createGroup(ADMIN, { uri: GROUP, members: newMembers(1) });
    await setup.until(async () => (await setup.states(rekeys[0]!.id)).join() === "sealed", "the sealing");
    const { fetch, requests } = await makeFetch(memberUri(0));
    const a = await device(0, { way: "http", fetch });
    await setup.until(() => a.events.some(({ type }) => type === "subscribed"), "the subscription");
    await finished(rekeys[0]!.id);
    // A message that was fetched counts as taken without a report, which follows it.
    await setup.until(() => requests.length >= 3, "the group document");
    expect(await setup.states(rekeys[0]!.id)).toEqual(["acknowledged"]);
    expect(requests.slice(0, 3)).toEqual(["GET keys 200", "POST keys 204", "GET group 200"]);
    expect(current(a)).toBe(rekeys[0]!.gmkId);
    await a.client.refresh();
    expect(requests.slice(-2)).toEqual(["GET keys 304", "GET group 304"]);

    const rekey = await admin().rekey(ADMIN, GROUP);
    await finished(rekey.id);
    expect(current(a)).toBe(rekey.gmkId);
    const revocation = await admin().revokeGmk(ADMIN, rekey.gmkId);
    await finished(revocation.id);
    expect(await setup.deliveries(revocation.id)).toMatchObject([{ state: "acknowledged", status: 200 }]);
    expect(a.events).toContainEqual(
      expect.objectContaining({
        type: "message",
        carrier: "sip",
        taken: expect.objectContaining({ outcome: "revoked" }),
      }),
    );
  });
});
