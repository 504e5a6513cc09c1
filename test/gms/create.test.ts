import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { load } from "../../bindings/core/core.ts";
import { operator } from "../../roles/gms/common/caller.ts";
import { gmsAudience } from "../../roles/gms/common/config.ts";
import { createGms, type Gms, type GmsOptions } from "../../roles/gms/create.ts";
import { DevelopmentIssuer } from "../../roles/server/development-tokens.ts";
import {
  acknowledge,
  GMS_URI,
  HOME_KMS,
  makeWorld,
  memberUri,
  newMembers,
  type World,
} from "./memory-gms.ts";

const GROUP = "sip:fire@home.example";
const ADMIN_TOKEN = "an operator's token";

let world: World;
let gms: Gms | undefined;
const issuer = await DevelopmentIssuer.create([gmsAudience(GMS_URI)]);

beforeEach(async () => {
  world = await makeWorld({ now: Date.now(), storeTime: "database" });
});
afterEach(async () => {
  await gms?.close();
  gms = undefined;
  await world.close();
});

const configOf = (changes: object) =>
  ({
    gmsUri: GMS_URI,
    kmsUri: HOME_KMS,
    listen: { port: 0 },
    admin: { port: 0 },
    ...changes,
  }) as GmsOptions["config"];

async function create(config: object = {}, options: Partial<GmsOptions> = {}): Promise<Gms> {
  gms = await createGms({
    config: configOf(config),
    store: world.store,
    core: world.core,
    keys: world.keys,
    developmentIssuer: issuer,
    adminToken: ADMIN_TOKEN,
    ...options,
  });
  return gms;
}

describe("createGms", () => {
  it("keeps the URI that its messages were made under", async () => {
    const { admin } = await create();
    await world.store.change((tx) => tx.reserveTimes("sip:before@home.example", 1));
    const refused = {
      kind: "usage",
      code: "SETTING_FIXED",
      message: expect.stringMatching(/gmsUri: .*before@/),
    };
    await expect(create()).rejects.toMatchObject(refused);
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await create();
  });

  it("listens for XCAP, administration and SIP, and seals what is asked for", async () => {
    const { listen, admin, context } = await create({ sip: { udpPort: 0, tcpPort: 0, wsPort: 0 } });
    const addresses = await listen();
    expect(addresses).toEqual({
      xcapUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/xcap$/),
      adminUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      sip: {
        udp: expect.stringMatching(/^sip:127\.0\.0\.1:\d+;transport=udp$/),
        tcp: expect.stringMatching(/^sip:127\.0\.0\.1:\d+;transport=tcp$/),
        ws: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+$/),
      },
    });
    const sealed = new Promise<readonly string[]>((resolve) => context.on({ sealed: resolve }));
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    expect(await sealed).toEqual([memberUri(0)]);
    const path = `org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(memberUri(0))}/gktp.xml`;
    const token = await issuer.token({ userUri: memberUri(0), now: Date.now() });
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${addresses.xcapUrl}/${path}`, { headers });
    expect(response.status).toBe(200);
    const [record] = await world.store.gktpOf(memberUri(0));
    expect(await response.text()).toContain(Buffer.from(record!.octets).toString("hex").toUpperCase());
    const metrics = await (await fetch(`${addresses.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/^gms_messages_sealed_total 1$/m);
    for (const end of ["key_period_end", "server_keys_end"]) {
      expect(metrics).toMatch(new RegExp(`^${end}_timestamp_seconds [1-9]\\d+$`, "m"));
    }
    expect(metrics).toContain("# TYPE database_connections gauge");
  });

  it("makes a process that all on its database see, until it closes", async () => {
    const { listen, processes, close, context } = await create({}, { instance: "radio1" });
    await listen();
    await expect.poll(processes).toMatchObject([{ server: "gms", name: "radio1" }]);
    expect((await processes())[0]).not.toHaveProperty("fault");
    await world.store.processes.report({ server: "gms", name: "radio2", hostNow: context.now() }, 60_000);
    expect((await processes()).map(({ name }) => name)).toEqual(["radio1", "radio2"]);
    await close();
    expect((await world.store.processes.list("gms")).map(({ name }) => name)).toEqual(["radio2"]);
  });

  it("finds unfinished work, under a name of its own", async () => {
    const first = await create();
    await first.admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const name = first.context.instance;
    await first.close();
    const second = await create();
    expect(second.context.instance).not.toBe(name);
    const sealed = new Promise<readonly string[]>((resolve) => second.context.on({ sealed: resolve }));
    await second.listen();
    expect(await sealed).toHaveLength(2);
  });

  it("closes what it opened when a listener cannot be opened", async () => {
    const { listen } = await create();
    const { adminUrl } = await listen();
    const port = Number(new URL(adminUrl).port);
    const other = await createGms({
      config: { gmsUri: GMS_URI, kmsUri: HOME_KMS, listen: { port: 0 }, admin: { port } },
      store: world.store,
      core: world.core,
      keys: world.keys,
      developmentIssuer: issuer,
    });
    await expect(other.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await other.close();
    expect((await fetch(`${adminUrl}/health`)).status).toBeLessThan(500);
  });

  it("accepts another policy for the next removal, and no other port", async () => {
    const { listen, admin, reconfigure, context } = await create();
    await listen();
    const sealed = new Promise<readonly string[]>((resolve) => context.on({ sealed: resolve }));
    const { rekeys } = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    await sealed;
    await acknowledge(world, rekeys[0]!.id);
    const changes = configOf({ policy: { revokeGrace: 600 }, listen: { port: 1 } });
    const { changed, fixed, apply } = await reconfigure(changes);
    expect([changed, fixed]).toEqual([["policy.revokeGrace"], ["listen.port"]]);
    apply();
    await admin.removeMembers(operator("op"), GROUP, [memberUri(2)]);
    const gmks = await world.store.gmks(GROUP);
    const removedAt = Math.max(...gmks.map(({ createdAt }) => createdAt));
    const { revokeAt } = gmks.find(({ gmkId }) => gmkId === rekeys[0]!.gmkId)!;
    expect(Math.round((revokeAt! - removedAt) / 60_000)).toBe(10);
    await expect(reconfigure(configOf({ policy: { revokeGrace: -1 } }))).rejects.toMatchObject({
      code: "BAD_CONFIG",
    });
  });

  it("refuses what cannot be served", async () => {
    const bad: [object, Partial<GmsOptions>, string][] = [
      [{ gmsUri: "sip:another@home.example" }, {}, "gmsUri"],
      [{ kmsUri: "kms.another.example" }, {}, "kmsUri"],
      [{ listen: { host: "192.0.2.1" } }, {}, "loopback"],
      [{ listen: { host: "192.0.2.1" } }, { tokens: issuer.verifier(GMS_URI) }, "tls"],
      [{ sip: { tlsPort: 0 } }, {}, "tls"],
      [{ sip: { host: "192.0.2.1", tcpPort: 0 } }, {}, "sip.host"],
    ];
    for (const [config, options, text] of bad) {
      await expect(create(config, options)).rejects.toMatchObject({
        code: "BAD_CONFIG",
        message: expect.stringContaining(text),
      });
    }
    const without = createGms({
      config: { gmsUri: GMS_URI, kmsUri: HOME_KMS },
      store: world.store,
      core: world.core,
      keys: world.keys,
    });
    await expect(without).rejects.toMatchObject({ code: "BAD_CONFIG" });
    const core = await load();
    await expect(create({}, { core })).rejects.toMatchObject({ code: "OTHER_CORE" });
    core.destroy();
  });
});
