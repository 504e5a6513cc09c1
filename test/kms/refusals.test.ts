import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openKmsResponse } from "../../documents/kms-xml/index.ts";
import { DevelopmentIssuer, kmsAudience, REFUSALS, type RefusalCode } from "../../roles/kms/index.ts";
import { ALICE, type Ask, BOB, GMS, KMS_URI, NOW, ORIGIN, PERIOD, ROOT, World } from "./running-kms.ts";

const url = (tail: string) => `${ORIGIN}${ROOT}/${tail}`;
const ALICE_PATH = "keyprov/sip%3Aalice%40example.org";
const digits = (periodNo: number) => (BigInt(periodNo * 2592000 + 5) << 32n).toString(16).padStart(16, "0");

let world: World;
beforeAll(async () => {
  world = await World.create({ servers: [{ uri: GMS, kind: "gms", clientId: "gms-1" }] });
});
afterAll(() => world.close());

/** Status, KmsError, audit entry; and nothing was issued. */
async function expectRefusal(code: RefusalCode, tail: string, ask: Ask, at = world): Promise<void> {
  const [issued, entries] = [await at.issuedCount(), (await at.auditLog()).length];
  const answer = await at.ask(tail, ask);
  const { response } = await openKmsResponse(answer.body);
  expect(response.error, `${tail}: ${answer.body}`).toEqual({
    errorCode: REFUSALS[code].errorCode,
    errorMsg: REFUSALS[code].text,
  });
  expect(response.message).toBeUndefined();
  expect(answer.status).toBe(REFUSALS[code].status);
  expect(await at.issuedCount()).toBe(issued);
  const added = (await at.auditLog()).slice(entries);
  // A request whose path shows that it is not for the KMS is a probe, which only the metrics count.
  const isProbe = code === "NOT_FOUND" || code === "BAD_PATH";
  expect(added.map((entry) => [entry.outcome, entry.code])).toEqual(isProbe ? [] : [["refused", code]]);
}

describe("a KMS request is refused for its token", () => {
  const cases: [string, RefusalCode, () => Ask | Promise<Ask>][] = [
    ["no token", "TOKEN_MISSING", () => ({ token: null })],
    ["no JWT", "TOKEN_INVALID", () => ({ token: "abc" })],
    [
      "another scope",
      "WRONG_SCOPE",
      async () => ({ token: await world.token(ALICE, { scopes: ["openid"] }) }),
    ],
    [
      "an expired token",
      "TOKEN_EXPIRED",
      async () => ({ token: await world.token(ALICE, { lifetime: -10 }) }),
    ],
    ["no identity", "WRONG_IDENTITY", async () => ({ token: await world.token(GMS) })],
  ];
  it.each(cases)("%s: %s", async (_, code, ask) => {
    await expectRefusal(code, "keyprov", await ask());
  });

  it("from another KMS", async () => {
    const other = await DevelopmentIssuer.create([kmsAudience(KMS_URI)]);
    await expectRefusal("TOKEN_INVALID", "keyprov", {
      token: await other.token({ userUri: ALICE, now: NOW }),
    });
  });

  it("with a challenge that says how to do better (RFC 6750)", async () => {
    expect((await world.ask("init", { token: null })).headers["www-authenticate"]).toBe("Bearer");
    expect((await world.ask("init", { token: "abc" })).headers["www-authenticate"]).toMatch(/invalid_token/);
    const token = await world.token(ALICE, { scopes: ["openid"] });
    expect((await world.ask("init", { token })).headers["www-authenticate"]).toMatch(/insufficient_scope/);
  });
});

describe("a KMS request is refused for its identity", () => {
  it("when UserUri is another user", async () => {
    await expectRefusal("WRONG_IDENTITY", "keyprov", { body: { userUri: BOB } });
  });

  it("when it asks for another user's keys", async () => {
    await expectRefusal("WRONG_IDENTITY", "keyprov/sip%3Abob%40example.org", {});
    await expectRefusal("WRONG_IDENTITY", "keyprov/sip%3Abob%40example.org", { body: null });
  });

  it("when the identity differs in case", async () => {
    await expectRefusal("WRONG_IDENTITY", "keyprov/sip%3AAlice%40example.org", { body: null });
  });

  it("when it asks for a server's keys", async () => {
    await expectRefusal("WRONG_IDENTITY", `keyprov/${encodeURIComponent(GMS)}`, {});
  });

  it("while the user is revoked, whatever it asks for", async () => {
    await world.store.enrol([BOB], NOW);
    await world.kms.admin.revokeUser(BOB, "lost device");
    for (const tail of ["keyprov", "init", "keyprov/sip%3Abob%40example.org", "certcache"]) {
      await expectRefusal("USER_REVOKED", tail, { user: BOB });
    }
    await world.kms.admin.reinstateUser(BOB);
    expect((await world.ask("init", { user: BOB })).status).toBe(200);
  });

  it("when it is not enrolled and the policy requires enrolment", async () => {
    const strict = await world.beside({ policy: { autoEnrol: false } });
    const user = "sip:newcomer@example.org";
    await expectRefusal("USER_UNKNOWN", "keyprov", { user }, strict);
    await strict.kms.admin.enrol([user]);
    expect((await strict.ask("keyprov", { user })).status).toBe(200);
    await strict.close();
  });
});

describe("a KMS request", () => {
  const cases: [string, RefusalCode, string, Ask][] = [
    ["another KmsUri", "WRONG_KMS", "keyprov", { body: { kmsUri: "kms.evil.example" } }],
    ["the KmsUri in other letters", "WRONG_KMS", "keyprov", { body: { kmsUri: KMS_URI.toUpperCase() } }],
    [
      "another host",
      "WRONG_REQUEST_URL",
      "keyprov",
      { body: { clientReqUrl: `https://evil.example${ROOT}/keyprov` } },
    ],
    ["another resource", "WRONG_REQUEST_URL", "keyprov", { body: { clientReqUrl: url("init") } }],
    [
      "another user's resource",
      "WRONG_REQUEST_URL",
      ALICE_PATH,
      { body: { clientReqUrl: url("keyprov/sip:bob@example.org") } },
    ],
    ["a Time too old", "STALE_REQUEST", "keyprov", { body: { time: NOW - 10_001 } }],
    ["a Time ahead", "STALE_REQUEST", "keyprov", { body: { time: NOW + 5_001 } }],
    ["no XML", "BAD_XML", "keyprov", { body: "hello" }],
    ["another document", "BAD_XML", "keyprov", { body: "<KmsResponse/>" }],
    ["not UTF-8", "BAD_XML", "keyprov", { body: Uint8Array.of(0x3c, 0xff, 0xfe, 0x3e) }],
    [
      "a missing element",
      "BAD_XML",
      "keyprov",
      { body: `<KmsRequest><UserUri>${ALICE}</UserUri></KmsRequest>` },
    ],
    [
      "too many elements",
      "TOO_LARGE",
      "keyprov",
      { body: `<KmsRequest>${"<a/>".repeat(3000)}</KmsRequest>` },
    ],
    [
      "a document that is too large",
      "TOO_LARGE",
      "keyprov",
      { body: `<KmsRequest>${"x".repeat(70_000)}</KmsRequest>` },
    ],
    ["no KrrList", "KRR_MISSING", "redirect", {}],
    ["no body for redirect", "KRR_MISSING", "redirect", { body: null }],
    [
      "KMSs that may not be used",
      "KMS_NOT_ALLOWED",
      "redirect",
      { body: { krrKmsUris: ["kms.evil.example"] } },
    ],
    ["an unknown KMS", "NO_CERTIFICATE", "cert/kms.evil.example", {}],
    ["an unknown request", "NOT_FOUND", "keys", {}],
    ["a bad URI", "BAD_PATH", "keyprov/alice", {}],
    ["a bad escape", "BAD_PATH", "keyprov/sip%3Aalice%4", {}],
    ["a period too far ahead", "PERIOD_NOT_ALLOWED", `${ALICE_PATH}/${digits(PERIOD + 2)}`, {}],
    ["a period too far back", "PERIOD_NOT_ALLOWED", `${ALICE_PATH}/${digits(PERIOD - 2)}`, {}],
    ["a period before the offset", "PERIOD_NOT_ALLOWED", `${ALICE_PATH}/0000000100000000`, {}],
    ["a TrK that nobody has", "TRANSPORT_KEY_UNKNOWN", "keyprov", { body: { trkId: "trk-1" } }],
  ];
  it.each(cases)("is refused with %s: %s", async (_, code, tail, ask) => {
    await expectRefusal(code, tail, ask);
  });

  it.each([
    ["an internal subset", `<!DOCTYPE r [<!ENTITY e "x">]>`],
    ["an external subset", `<!DOCTYPE r SYSTEM "file:///etc/passwd">`],
    ["an external entity", `<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>`],
  ])("is refused with a document type declaration with %s", async (_, declaration) => {
    const request = world.body("keyprov", ALICE);
    expect((await world.ask("keyprov", { body: request })).status).toBe(200);
    const body = request.replace(/^(<\?xml[^>]*\?>)?/, (head) => `${head}${declaration}`);
    await expectRefusal("BAD_XML", "keyprov", { body });
  });

  it("may have a Time as old and as far ahead as configured", async () => {
    for (const time of [NOW - 10_000, NOW + 5_000]) {
      expect((await world.ask("keyprov", { body: { time } })).status).toBe(200);
    }
  });

  it("is checked against the schema where the policy requires it", async () => {
    const strict = await world.beside({ policy: { strictSchema: true } });
    expect((await strict.ask("keyprov")).status).toBe(200);
    const swapped = strict
      .body("keyprov", ALICE)
      .replace(/(<UserUri>.*<\/UserUri>)\s*(<KmsUri>.*<\/KmsUri>)/, "$2$1");
    await expectRefusal("SCHEMA", "keyprov", { body: swapped }, strict);
    expect((await world.ask("keyprov", { body: swapped })).status).toBe(200);
    await strict.close();
    // Also where the policy asks for it later.
    const later = await world.beside();
    const own = {
      kmsUri: KMS_URI,
      urls: [ORIGIN],
      listen: { port: 0 },
      admin: { port: 0 },
      domains: ["example.org"],
    };
    const { changed, fixed, apply } = await later.kms.reconfigure({ ...own, policy: { strictSchema: true } });
    expect([changed, fixed]).toEqual([["policy.strictSchema"], []]);
    expect((await later.ask("keyprov", { body: swapped })).status).toBe(200);
    apply();
    await expectRefusal("SCHEMA", "keyprov", { body: swapped }, later);
    await later.close();
  });
});

describe("a refused KMS request", () => {
  it("is answered without the reasons that the log has", async () => {
    const { body } = await world.ask("keyprov", { body: { userUri: "sip:victim@example.org" } });
    expect(body).not.toContain("victim");
    const last = (await world.auditLog()).at(-1)!;
    expect(last).toMatchObject({ actor: ALICE, action: "keyprov", userUri: ALICE, code: "WRONG_IDENTITY" });
    expect(last.detail).toMatchObject({ reason: expect.stringContaining("victim"), remote: "192.0.2.1" });
  });

  it("without a token cannot fill the audit log", async () => {
    const guarded = await world.beside({ limits: { anonymousAuditPerMinute: 3 } });
    const start = (await guarded.auditLog()).length;
    for (let i = 0; i < 10; i++) expect((await guarded.ask("init", { token: null })).status).toBe(401);
    expect((await guarded.auditLog()).length).toBe(start + 3);
    const before = (await guarded.auditLog()).length;
    await guarded.ask("init", { token: null });
    await guarded.ask("init", { body: { kmsUri: "x" } });
    expect((await guarded.auditLog()).length).toBe(before + 1);
    guarded.now += 60_000;
    await guarded.ask("init", { token: null });
    expect((await guarded.auditLog()).length).toBe(before + 2);
    await guarded.close();
  });

  it("with a valid token cannot fill the audit log either, and others are still recorded", async () => {
    const guarded = await world.beside({ limits: { refusedAuditPerMinute: 2 } });
    const added = async () => {
      const before = (await world.auditLog()).length;
      for (const user of [ALICE, ALICE, ALICE, BOB]) {
        expect((await guarded.ask("init", { user, body: { kmsUri: "x" } })).status).toBe(400);
      }
      return (await world.auditLog()).slice(before).map(({ actor }) => actor);
    };
    expect(await added()).toEqual([ALICE, ALICE, BOB]);
    guarded.now += 60_000;
    expect(await added()).toEqual([ALICE, ALICE, BOB]);
    await guarded.close();
  });

  it.each([
    ["a character in two halves at the end of the text", `sip:${"a".repeat(480)}`],
    ["the same, one further", `sip:${"a".repeat(481)}`],
  ])("is recorded also with %s", async (_, uri) => {
    await expectRefusal("WRONG_IDENTITY", "lookup", { body: { userUri: uri + "\u{1f600}".repeat(20) } });
    const { detail } = (await world.auditLog()).at(-1)!;
    expect(detail!.reason).toMatch(/\u{1f600}$/u);
  });

  it("without a token gets no XML parsed", async () => {
    await expectRefusal("TOKEN_MISSING", "keyprov", { token: null, body: "<" });
  });
});

describe("load of the KMS", () => {
  let busy: World;
  beforeEach(async () => {
    busy = await world.beside({ limits: { inFlight: 2 } });
  });

  it("beyond the limit is refused, and requests under way are finished", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => busy.ask("keyprov")));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 503, 503, 503]);
    expect(answers.find(({ status }) => status === 503)!.headers["retry-after"]).toBe("1");
    expect((await busy.ask("keyprov")).status).toBe(200);
    await busy.close();
  });
});

describe("a failing database", () => {
  it("gives an error of the KMS, and no keys", async () => {
    const broken = await world.beside();
    await broken.db.query("ALTER TABLE kms_audit RENAME TO kms_audit_gone");
    const answer = await broken.ask("keyprov");
    await broken.db.query("ALTER TABLE kms_audit_gone RENAME TO kms_audit");
    expect(answer.status).toBe(500);
    expect(answer.body).not.toMatch(/UserDecryptKey|kms_audit/);
    expect(broken.log.filter(({ level }) => level === "error").length).toBeGreaterThan(0);
    await broken.close();
  });
});

describe("docs/kms.md", () => {
  it("has the table of refusals", () => {
    const text = readFileSync(new URL("../../docs/kms.md", import.meta.url), "utf8");
    for (const [code, { status, errorCode, text: message }] of Object.entries(REFUSALS)) {
      expect(text, code).toContain(`| ${status} | ${errorCode} | \`${code}\` | ${message} |`);
    }
  });
});
