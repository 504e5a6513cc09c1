/** The operations, on the store and through the admin API of a server. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { KeySet } from "../../bindings/identity/kms-material.ts";
import { adminClient, type KmsAdmin } from "../../roles/kms/index.ts";
import { Envelope } from "../../store/index.ts";
import { GMS, KMS_URI, PERIOD, World } from "./running-kms.ts";

const TOKEN = "operator's token";
let world: World;
let adminUrl: string;
let remote: KmsAdmin;
let count = 0;
let user: string;

beforeAll(async () => {
  world = await World.create(
    { servers: [{ uri: GMS, kind: "gms", clientId: "gms-1" }] },
    { adminToken: TOKEN },
  );
  ({ adminUrl } = await world.kms.listen());
  remote = adminClient({ url: adminUrl, token: TOKEN });
});
afterAll(() => world.close());
beforeEach(() => {
  user = `sip:user${++count}@example.org`;
});

async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof MikeySakkeError) return `${error.kind}/${error.code}`;
    throw error;
  }
  return "none";
}

const lastAudit = async () => (await world.auditLog()).at(-1)!;

describe.each([
  ["on the store", () => world.kms.admin],
  ["through the admin API", () => remote],
])("KMS operations %s", (_, the) => {
  it("enrol, find and list users", async () => {
    expect(await the().enrol([user, user, `${user}.other`])).toBe(2);
    expect(await the().enrol([user])).toBe(0);
    expect(await the().user(user)).toMatchObject({ uri: user, enrolledAt: world.now });
    expect(await the().user("sip:nobody@example.org")).toBeUndefined();
    const some = await the().users({ limit: 2, after: "sip:user" });
    expect(some).toHaveLength(2);
    expect(some.every(({ uri }) => uri.startsWith("sip:user"))).toBe(true);
    expect(await lastAudit()).toMatchObject({ actor: "operator", action: "user-enrol", userUri: user });
  });

  it("are recorded in the audit log under the name of the person who asked", async () => {
    await the().as("Zoë of the night shift").enrol([user]);
    expect(await lastAudit()).toMatchObject({ actor: "Zoë of the night shift", userUri: user });
    await the().revokeUser(user, "lost device");
    expect(await lastAudit()).toMatchObject({ actor: "operator", action: "user-revoke" });
  });

  it("revoke and reinstate users", async () => {
    await the().enrol([user]);
    await the().revokeUser(user, "lost device");
    expect(await the().user(user)).toMatchObject({ revokedAt: world.now, reason: "lost device" });
    expect((await world.ask("keyprov", { user })).status).toBe(403);
    expect(await the().users({ limit: 10_000, notIssued: { period: PERIOD } })).not.toContainEqual(
      expect.objectContaining({ uri: user }),
    );
    await the().reinstateUser(user);
    expect((await world.ask("keyprov", { user })).status).toBe(200);
    const later = `${user}.later`;
    await the().revokeUser(later, "never came");
    expect((await world.ask("keyprov", { user: later })).status).toBe(403);
    expect(await errorOf(the().reinstateUser("sip:nobody@example.org"))).toBe("usage/USER_UNKNOWN");
  });

  it("make transport keys that work, and list them without the key", async () => {
    const made = await the().newTransportKeys(user, { kinds: ["TrK", "InK"] });
    expect(made.map(({ kind, state, key }) => [kind, state, key.length])).toEqual([
      ["TrK", "active", 32],
      ["InK", "active", 32],
    ]);
    expect((await world.ask("init", { user, signWith: made[1]! })).status).toBe(200);
    const listed = await the().transportKeys(user);
    expect(listed.map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort());
    expect(JSON.stringify(listed)).not.toMatch(/"key"/);
    const logged = JSON.stringify([world.log, await world.auditLog()]);
    for (const { key } of made) {
      expect(logged).not.toContain(toHex(key));
      expect(logged).not.toContain(Buffer.from(key).toString("base64"));
    }
  });

  it("take, list and drop certificates of other KMSs", async () => {
    const { certificate } = (await the().masters())[0]!;
    const partner = { ...certificate, kmsUri: "kms.partner.example", certUri: "p#1" };
    const before = (await the().certificates()).cacheNum;
    await the().putCertificate(partner, "migration");
    const { cacheNum, own, others } = await the().certificates();
    expect(cacheNum).toBeGreaterThan(before);
    expect(own.map((c) => c.kmsUri)).toEqual(own.map(() => KMS_URI));
    expect(others).toMatchObject([
      { kind: "migration", certificate: { kmsUri: "kms.partner.example", role: "External" } },
    ]);
    expect(others[0]!.certificate.pubEncKey).toEqual(partner.pubEncKey);
    expect((await world.ask("cert/kms.partner.example")).status).toBe(200);
    await the().revokeCertificate("p#1");
    expect((await the().certificates()).others[0]!.certificate.revoked).toBe(true);
    await the().removeCertificate("kms.partner.example");
    expect((await world.ask("cert/kms.partner.example")).status).toBe(404);
    expect(await errorOf(the().putCertificate({ ...partner, kmsUri: KMS_URI }, "external"))).toBe(
      "usage/OWN_CERTIFICATE",
    );
    expect(await errorOf(the().removeCertificate("kms.partner.example"))).toBe("usage/UNKNOWN_CERTIFICATE");
  });

  it("issue the keys of many users, and hand them out", async () => {
    const users = [1, 2, 3].map((i) => `${user}.${i}`);
    await the().enrol(users);
    const progress: number[][] = [];
    const keySets: Pick<KeySet, "userUri" | "rsk" | "ssk" | "uid">[] = [];
    const result = await the().issue({
      users,
      onProgress: (done, total) => progress.push([done, total]),
      onKeySet: ({ userUri, rsk, ssk, uid }) => {
        keySets.push({ userUri, rsk: rsk.slice(), ssk: ssk.slice(), uid });
      },
    });
    expect(result).toEqual({ periodNo: PERIOD, issued: 3 });
    expect(progress.at(-1)).toEqual([3, 3]);
    expect(keySets.map(({ userUri }) => userUri)).toEqual(users);
    const [stored] = await world.store.issuedKeys(users[0]!, [PERIOD]);
    expect(keySets[0]).toMatchObject({ rsk: stored!.rsk, ssk: stored!.ssk, uid: stored!.uid });
  });

  it("issue to all users without keys, and not to revoked ones", async () => {
    await the().enrol([user]);
    await the().issue();
    expect(await the().users({ limit: 10, notIssued: { period: PERIOD } })).toEqual([]);
    expect(await the().issue()).toEqual({ periodNo: PERIOD, issued: 0 });
    expect(await errorOf(the().issue({ users: ["sip:nobody@example.org"] }))).toBe("usage/USER_UNKNOWN");
  });

  it("stop issuing when told to", async () => {
    const users = Array.from({ length: 6000 }, (_, i) => `${user}.${i}`);
    await the().enrol(users);
    const stop = new AbortController();
    const work = the().issue({
      users,
      signal: stop.signal,
      onProgress: (done) => done > 0 && stop.abort(new Error("enough")),
    });
    await expect(work).rejects.toThrow("enough");
  });

  it("rotate the master, and purge old keys", async () => {
    await world.ask("keyprov", { user });
    const before = await the().masters();
    const made = await the().rotateMaster();
    expect(made.fromPeriod).toBeGreaterThan(PERIOD);
    expect((await the().masters()).map(({ id }) => id)).toEqual([...before.map(({ id }) => id), made.id]);
    expect(await errorOf(the().rotateMaster({ fromPeriod: PERIOD }))).toBe("usage/BAD_PERIOD");
    expect(await the().purgeIssuedBefore(PERIOD)).toBe(0);
  });

  it("read the audit log in pages and by user", async () => {
    await world.ask("init", { user });
    const mine = await the().auditLog({ limit: 10, userUri: user });
    expect(mine).toMatchObject([{ action: "init", outcome: "ok" }]);
    const [one] = await the().auditLog({ limit: 1 });
    const [two] = await the().auditLog({ limit: 1, after: one!.id });
    expect(two!.id).toBeGreaterThan(one!.id);
  });

  it("seal the store under another key", async () => {
    const key = new Uint8Array(32).fill(++count);
    await the().rotateStoreKey(key);
    expect((await world.ask("keyprov", { user })).status).toBe(200);
    await expect(Envelope.open(world.db, new Uint8Array(32).fill(99))).rejects.toMatchObject({
      code: "WRONG_STORE_KEY",
    });
    (await Envelope.open(world.db, key)).destroy();
    expect(await errorOf(the().rotateStoreKey(key.slice(1)))).toBe("usage/WRONG_LENGTH");
  });
});

describe("the admin API of the KMS", () => {
  const post = (path: string, headers: Record<string, string>, body = "{}") =>
    fetch(new URL(path, adminUrl), {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  const authorization = `Bearer ${TOKEN}`;

  it.each([
    {},
    { authorization: "Bearer x" },
    { authorization: TOKEN },
    { authorization: `bearer ${TOKEN}` },
  ])("refuses credentials %j", async (headers) => {
    const before = (await world.auditLog()).length;
    const response = await post("/admin/v1/enrol", headers as never, `{"uris":["sip:eve@example.org"]}`);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect((await world.auditLog()).length).toBe(before);
  });

  it("tells its client of a refused credential", async () => {
    const stranger = adminClient({ url: adminUrl, token: "x" });
    expect(await errorOf(stranger.masters())).toBe("usage/ADMIN_TOKEN");
    expect(await errorOf(stranger.issue())).toBe("usage/ADMIN_TOKEN");
    const nobody = adminClient({ url: "http://127.0.0.1:9", token: TOKEN });
    expect(await errorOf(nobody.masters())).toBe("transport/ADMIN_UNREACHABLE");
  });

  it("refuses unknown operations, unknown keys and wrong types", async () => {
    expect((await post("/admin/v1/constructor", { authorization })).status).toBe(404);
    for (const body of [`{"uri":1}`, `{}`, `{"uri":"a","more":1}`, `[]`, `{`]) {
      expect((await post("/admin/v1/user", { authorization }, body)).status, body).toBe(400);
    }
  });

  it("refuses another host name (DNS rebinding)", async () => {
    const { request } = await import("node:http");
    const status = await new Promise((resolve) => {
      request(`${adminUrl}/metrics`, { headers: { host: "evil.example" } }, (r) =>
        resolve(r.statusCode),
      ).end();
    });
    expect(status).toBe(421);
  });

  it("is not served without a token, but health is", async () => {
    const bare = await world.beside();
    const { adminUrl: url } = await bare.kms.listen();
    expect((await fetch(`${url}/admin/v1/masters`, { method: "POST" })).status).toBe(404);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    await bare.close();
  });
});

describe("health and metrics of the KMS", () => {
  it("report ready while it has a valid certificate", async () => {
    const kms = await world.beside();
    const { adminUrl: url } = await kms.kms.listen();
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const { now } = kms;
    kms.now = Date.parse("2020-01-01T00:00:00Z");
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    kms.now = now;
    await kms.close();
  });

  it("count answers and key sets, and name nobody", async () => {
    const kms = await world.beside();
    const { adminUrl: url } = await kms.kms.listen();
    await kms.ask("keyprov", { user });
    await kms.ask("init", { token: null });
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('kms_answers_total{type="keyprov",code="ok"} 1');
    expect(text).toContain('kms_answers_total{type="init",code="TOKEN_MISSING"} 1');
    expect(text).toContain("kms_key_sets_total 2");
    expect(text).toContain("kms_requests_in_flight 0");
    expect(text).not.toContain("sip:");
    await kms.close();
  });
});
