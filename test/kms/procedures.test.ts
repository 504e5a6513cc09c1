import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../base/bytes.ts";
import { Initiator } from "../../bindings/identity/initiator.ts";
import { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import type { KeySet } from "../../bindings/identity/kms-material.ts";
import { Receiver } from "../../bindings/identity/receiver.ts";
import { certificatesOf, keySetsOf, readKmsDocument, withUid } from "../../documents/kms-xml/index.ts";
import { KmsSchema } from "../../documents/kms-xml/schema/validate-node.ts";
import { ALICE, BOB, GMS, KMS_URI, NOW, ORIGIN, PERIOD, ROOT, sharedCore, World } from "./running-kms.ts";

const PARTNER = "kms.partner.example";
let world: World;
let schema: KmsSchema;

beforeAll(async () => {
  schema = await KmsSchema.load();
  world = await World.create({
    servers: [{ uri: GMS, kind: "gms", clientId: "gms-1", scope: "kms:gms" }],
    policy: { externalKms: ["kms.friend.example"], migrationKms: ["kms.roaming.example"] },
  });
  const { certificate } = (await world.kms.admin.masters())[0]!;
  const partner = {
    ...certificate,
    kmsUri: PARTNER,
    certUri: `${PARTNER}#1`,
    kmsDomains: ["partner.example"],
  };
  await world.kms.admin.putCertificate(partner, "external");
});

afterAll(async () => {
  schema.dispose();
  await world.close();
});

const certificates = (body: string) => certificatesOf(readKmsDocument(body));
const keySets = (body: string) => keySetsOf(readKmsDocument(body));
const periodsIn = (body: string) => keySets(body).map(({ keyPeriodNo }) => keyPeriodNo);

/** The 16 digits of a time in a key period. */
function digitsIn(periodNo: number): string {
  return (BigInt(periodNo * 2592000 + 5) << 32n).toString(16).padStart(16, "0");
}

describe("the init request", () => {
  it("gives the certificate in a response to the user who asked", async () => {
    const { status, response } = await world.response("init");
    expect(status).toBe(200);
    expect(response).toMatchObject({
      userUri: ALICE,
      kmsUri: KMS_URI,
      time: NOW,
      clientReqUrl: `${ORIGIN}${ROOT}/init`,
      message: { type: "init", certificate: { kmsUri: KMS_URI, role: "Root", userKeyPeriod: 2592000 } },
    });
    expect(response.error).toBeUndefined();
  });

  it("accepts an empty body, and one of white space", async () => {
    for (const body of [null, " \r\n\t"]) {
      const { status, response } = await world.response("init", { body });
      expect({ status, user: response.userUri, url: response.clientReqUrl }).toEqual({
        status: 200,
        user: ALICE,
        url: `${ORIGIN}${ROOT}/init`,
      });
    }
  });
});

describe("the keyprov request", () => {
  it("gives working keys: the receiver checks the RSK, the initiator the SSK", async () => {
    const core = await sharedCore();
    const certificate = certificates((await world.ask("init")).body)[0]!;
    const domain = KmsDomain.load(core, certificate);
    const sets = keySets((await world.ask("keyprov")).body).map((set) =>
      withUid(set, certificate),
    ) as KeySet[];
    expect(sets.map(({ userUri, keyPeriodNo }) => [userUri, keyPeriodNo])).toEqual([
      [ALICE, PERIOD],
      [ALICE, PERIOD + 1],
    ]);
    const receiver = Receiver.load([domain], sets);
    const initiator = Initiator.load(domain, sets);
    expect(initiator.uri).toBe(ALICE);
    receiver.destroy();
    initiator.destroy();
    domain.destroy();
  });

  it("gives the same keys each time", async () => {
    const [one, two] = [await world.ask("keyprov"), await world.ask("keyprov")].map(({ body }) =>
      keySets(body),
    );
    const facts = (sets: ReturnType<typeof keySets>) =>
      sets.map(({ rsk, ssk, pvt }) => [rsk, ssk, pvt].map(toHex));
    expect(facts(one!)).toEqual(facts(two!));
  });

  it.each(["keyprov/sip%3Aalice%40example.org", "keyprov/sip:alice@example.org"])(
    "accepts the path %s",
    async (tail) => {
      expect(periodsIn((await world.ask(tail)).body)).toEqual([PERIOD, PERIOD + 1]);
    },
  );

  it.each([-1, 0, 1])("gives exactly the period of a time, %i periods from now", async (distance) => {
    const digits = digitsIn(PERIOD + distance);
    for (const time of [digits, digits.toUpperCase()]) {
      const { body } = await world.ask(`keyprov/sip%3Aalice%40example.org/${time}`);
      expect(periodsIn(body)).toEqual([PERIOD + distance]);
    }
  });

  it("gives all identities of a token, once each", async () => {
    const scopes = ["3gpp:mc:ptt_key_management_service", "kms:gms"];
    const gms = await world.token(ALICE, { clientId: "gms-1", scopes });
    const sets = keySets((await world.ask("keyprov", { token: gms })).body);
    expect(sets.map(({ userUri }) => userUri)).toEqual([ALICE, ALICE, GMS, GMS]);
    const one = keySets((await world.ask(`keyprov/${encodeURIComponent(GMS)}`, { token: gms })).body);
    expect(one.map(({ userUri }) => userUri)).toEqual([GMS, GMS]);
  });

  it("leaves out another identity of the token that was revoked", async () => {
    const scopes = ["3gpp:mc:ptt_key_management_service", "kms:gms"];
    const token = await world.token(BOB, { clientId: "gms-1", scopes });
    await world.ask("keyprov", { user: BOB, token });
    await world.kms.admin.revokeUser(GMS, "test");
    const sets = keySets((await world.ask("keyprov", { user: BOB, token })).body);
    expect(sets.map(({ userUri }) => userUri)).toEqual([BOB, BOB]);
    await world.kms.admin.reinstateUser(GMS);
  });

  it("records whose keys of which period were issued", async () => {
    await world.ask("keyprov");
    const last = (await world.auditLog()).slice(-2);
    expect(
      last.map(({ actor, action, userUri, periodNo, outcome }) => [
        actor,
        action,
        userUri,
        periodNo,
        outcome,
      ]),
    ).toEqual([
      [ALICE, "keyprov", ALICE, PERIOD, "ok"],
      [ALICE, "keyprov", ALICE, PERIOD + 1, "ok"],
    ]);
    expect(last[0]).toMatchObject({ at: NOW, detail: { remote: "192.0.2.1" } });
  });

  it("logs nothing of the answer's contents", async () => {
    const [set] = keySets((await world.ask("keyprov")).body);
    const written = JSON.stringify([world.log, await world.auditLog()]).toLowerCase();
    for (const secret of [set!.rsk, set!.ssk]) expect(written).not.toContain(toHex(secret).slice(0, 32));
    expect(written).not.toContain("bearer");
    expect(written).not.toContain((await world.token(ALICE)).slice(0, 20).toLowerCase());
  });
});

describe("the certcache request", () => {
  it("has the certificates of its number, also when another process has just changed them", async () => {
    const first = await World.create();
    const other = await first.beside();
    const facts = async (tail: string) => {
      const { response } = await other.response(tail);
      if (response.message?.type !== "certcache") throw new Error(tail);
      const { cacheNum, certificates: list } = response.message;
      return {
        cacheNum,
        certs: list.map(({ certUri, revoked }) => ({ certUri, revoked: revoked === true })),
      };
    };
    const before = await facts("certcache");
    expect(before.certs).toHaveLength(1);
    await first.kms.admin.rotateMaster();
    await first.kms.admin.revokeCertificate(before.certs[0]!.certUri!);
    const { cacheNum, certs } = await facts(`certcache/${before.cacheNum}`);
    expect(cacheNum).toBeGreaterThan(before.cacheNum!);
    expect(certs.map(({ revoked }) => revoked)).toEqual([true, false]);
    await other.close();
    await first.close();
  });

  it("gives all certificates with their number, and none to a client that has them", async () => {
    const { response } = await world.response("certcache");
    expect(response.message).toMatchObject({
      type: "certcache",
      certificates: [
        { kmsUri: KMS_URI, role: "Root" },
        { kmsUri: PARTNER, role: "External" },
      ],
    });
    const { cacheNum } = response.message as { cacheNum: number };
    const again = await world.response(`certcache/${cacheNum}`);
    expect(again.response.message).toMatchObject({ cacheNum, certificates: [] });
    const old = await world.response(`certcache/${cacheNum - 1}`);
    expect(old.response.message).toMatchObject({ certificates: [{}, {}] });
  });
});

describe("the cert request", () => {
  it.each([KMS_URI, PARTNER])("gives the certificate of %s", async (kmsUri) => {
    const { body } = await world.ask(`cert/${encodeURIComponent(kmsUri)}`);
    expect(certificates(body).map((c) => c.kmsUri)).toEqual([kmsUri]);
  });
});

describe("the lookup and redirect requests", () => {
  const lookup = async (tail: string, body = {}) => (await world.response(tail, { body })).response.message;

  it("give the permitted KMSs, this one first", async () => {
    const kmsUris = [KMS_URI, "kms.roaming.example", "kms.friend.example", PARTNER];
    expect(await lookup("lookup")).toMatchObject({ type: "lookup", kmsUris });
  });

  it("give the KMS of a user by domain", async () => {
    expect(await lookup("lookup/sip%3Azoe%40partner.example")).toMatchObject({ kmsUris: [PARTNER] });
    expect(await lookup("lookup/sip:alice@Example.org")).toMatchObject({ kmsUris: [KMS_URI] });
    expect(await lookup("lookup/sip:x@nowhere.example")).toMatchObject({
      kmsUris: expect.arrayContaining([KMS_URI, PARTNER]),
    });
  });

  it("give the permitted KMSs of redirect responses", async () => {
    const krrKmsUris = ["kms.evil.example", PARTNER, "kms.friend.example"];
    expect(await lookup("redirect", { krrKmsUris })).toMatchObject({
      kmsUris: [PARTNER, "kms.friend.example"],
    });
  });
});

describe("every answer of the KMS", () => {
  it.each(["init", "keyprov", "certcache", `cert/${KMS_URI}`, "lookup", "cert/kms.unknown.example"])(
    "to %s is valid by the schema and is not to be stored",
    async (tail) => {
      const answer = await world.ask(tail);
      expect(() => schema.validate(answer.body)).not.toThrow();
      expect(answer.headers).toMatchObject({
        "content-type": "application/xml",
        "cache-control": "no-store",
      });
    },
  );
});

describe("the passing of time at the KMS", () => {
  it("brings the next key period, and with it the next keys", async () => {
    world.now = NOW + 2592000_000;
    const token = await world.token(ALICE);
    expect(periodsIn((await world.ask("keyprov", { token })).body)).toEqual([PERIOD + 1, PERIOD + 2]);
    const before = `keyprov/sip%3Aalice%40example.org/${digitsIn(PERIOD)}`;
    expect(periodsIn((await world.ask(before, { token })).body)).toEqual([PERIOD]);
    world.now = NOW;
  });

  it("brings the next keys only later when policy says so", async () => {
    const near = await world.beside({ policy: { provisionNextWithin: 86400 } });
    const end = (PERIOD + 1) * 2592000 - 2208988800;
    near.now = (end - 86401) * 1000;
    expect(periodsIn((await near.ask("keyprov")).body)).toEqual([PERIOD]);
    near.now = (end - 86400) * 1000;
    expect(periodsIn((await near.ask("keyprov")).body)).toEqual([PERIOD, PERIOD + 1]);
    await near.close();
  });
});

describe("a rotation of the KMS master key", () => {
  it("is seen in certificates at once, and by the issuers of other processes within masterAge", async () => {
    const other = await world.beside();
    const summary = await world.kms.admin.rotateMaster();
    const certUri = summary.certificate.certUri;
    const own = async (at: World) =>
      certificates((await at.ask("certcache")).body).filter(({ kmsUri }) => kmsUri === KMS_URI);
    expect((await own(world)).map((c) => c.certUri)).toHaveLength(2);
    expect((await own(other)).at(-1)!.certUri).toBe(certUri);
    expect(other.kms.issuer.certificates()).toHaveLength(1);
    other.now += 10_000;
    await other.ask("init");
    expect(other.kms.issuer.certificates().at(-1)!.certUri).toBe(certUri);

    for (const kms of [world, other]) {
      kms.now = NOW + (summary.fromPeriod - PERIOD) * 2592000_000;
      expect(certificates((await kms.ask("init")).body)[0]!.certUri).toBe(certUri);
      expect(keySets((await kms.ask("keyprov")).body)[0]!.certUri).toBe(certUri);
    }
    await other.close();
  });
});
