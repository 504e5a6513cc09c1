/** HTTP requests for other users' documents are refused, counted and logged, and their answers contain no key. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GROUP } from "../foreign/running-gms.ts";
import { type AccessWorld, ALICE, accessWorld, BOB, MALLORY } from "./exposed-gms.ts";

const gktpOf = (uri: string) => `org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(uri)}/gktp.xml`;
const GROUP_DOCUMENT = `org.openmobilealliance.groups/global/byGroupID/${encodeURIComponent(GROUP)}`;
const GROUP_KEYS = `org.3gpp.MCPTT-GKTP/global/byGroupID/${encodeURIComponent(GROUP)}`;

describe("access over HTTP", () => {
  let world: AccessWorld;
  beforeAll(async () => {
    world = await accessWorld();
  });
  afterAll(() => world?.close());

  interface Asked {
    readonly status: number;
    readonly text: string;
  }

  async function ask(path: string, token: string | undefined, init: RequestInit = {}): Promise<Asked> {
    const response = await fetch(`${world.xcapUrl}/${path}`, {
      ...init,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...init.headers },
    });
    return { status: response.status, text: await response.text() };
  }

  function expectNoSecret(text: string): void {
    for (const secret of world.secrets) expect(text.toUpperCase().includes(secret)).toBe(false);
  }

  /**
   * The answer has this status and nothing secret, the refusal is counted, and the audit log has it under this code.
   */
  async function expectRefused(status: number, code: string, request: () => Promise<Asked>): Promise<void> {
    const label = new RegExp(`code="${code}"`);
    const before = await world.metric("gms_answers_total", label);
    await world.refused();
    const answer = await request();
    expect(answer.status).toBe(status);
    expectNoSecret(answer.text);
    expect(await world.metric("gms_answers_total", label)).toBe(before + 1);
    expect((await world.refused()).map((entry) => entry.code)).toEqual([code]);
  }

  it("gives a member its own keys", async () => {
    const { status, text } = await ask(gktpOf(ALICE), await world.token(ALICE));
    expect(status).toBe(200);
    expect(world.secrets.filter((secret) => text.includes(secret))).toHaveLength(1);
  });

  it("refuses a client without a token", () =>
    expectRefused(403, "TOKEN_MISSING", () => ask(gktpOf(ALICE), undefined)));

  it("refuses somebody else's keys, to a member as to anybody", async () => {
    for (const who of [BOB, MALLORY]) {
      const token = await world.token(who);
      await expectRefused(403, "WRONG_IDENTITY", () => ask(gktpOf(ALICE), token));
    }
  });

  it("hides a group from non-members, as if it did not exist", async () => {
    const token = await world.token(MALLORY);
    for (const path of [GROUP_DOCUMENT, GROUP_KEYS]) {
      await expectRefused(404, "NOT_FOUND", () => ask(path, token));
    }
    expect((await ask(GROUP_DOCUMENT, await world.token(ALICE))).status).toBe(200);
  });

  it("gives each member their own keys of a group, and nobody else's", async () => {
    const { text } = await ask(GROUP_KEYS, await world.token(BOB));
    const found = world.secrets.filter((secret) => text.includes(secret));
    expect(found).toHaveLength(1);
    const own = await ask(gktpOf(BOB), await world.token(BOB));
    expect(own.text).toContain(found[0]);
  });

  it("refuses an expired token that is replayed", async () => {
    const options = { userUri: ALICE, now: Date.now() - 7_200_000, lifetime: 3600 };
    const token = await world.issuer.token(options);
    await expectRefused(401, "TOKEN_EXPIRED", () => ask(gktpOf(ALICE), token));
  });

  it("refuses a token that was made for another server, or for other scopes", async () => {
    const now = Date.now();
    const elsewhere = await world.issuer.token({ userUri: ALICE, now, audience: ["kms.home.example"] });
    await expectRefused(401, "TOKEN_INVALID", () => ask(gktpOf(ALICE), elsewhere));
    const scopes = ["3gpp:mc:ptt_key_management_service"];
    const forKeys = await world.issuer.token({ userUri: ALICE, now, scopes });
    await expectRefused(403, "WRONG_SCOPE", () => ask(gktpOf(ALICE), forKeys));
  });

  it("refuses a token with a changed signature", async () => {
    const token = await world.token(ALICE);
    const dot = token.lastIndexOf(".");
    const forged = `${token.slice(0, dot + 1)}${token[dot + 1] === "A" ? "B" : "A"}${token.slice(dot + 2)}`;
    await expectRefused(401, "TOKEN_INVALID", () => ask(gktpOf(ALICE), forged));
  });

  it("refuses a body that is too large", async () => {
    const token = await world.token(ALICE);
    const headers = { "content-type": "application/vnd.mikey-sakke.gktp-report+xml" };
    await expectRefused(413, "TOO_LARGE", () =>
      ask(gktpOf(ALICE), token, { method: "POST", body: "x".repeat(5000), headers }),
    );
  });

  it("lets nobody report for somebody else", async () => {
    const token = await world.token(BOB);
    const headers = { "content-type": "application/vnd.mikey-sakke.gktp-report+xml" };
    const body = `<report xmlns="urn:mikey-sakke:gktp-report:1.0"/>`;
    await expectRefused(403, "WRONG_IDENTITY", () =>
      ask(gktpOf(ALICE), token, { method: "POST", body, headers }),
    );
  });

  it("ends the connection of a client that is too slow, and serves the others meanwhile", async () => {
    const { hostname, port } = new URL(world.xcapUrl);
    const socket = connect(Number(port), hostname);
    let said = "";
    socket.setEncoding("latin1").on("data", (text) => {
      said += text;
    });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(`GET /xcap/${gktpOf(ALICE)} HTTP/1.1\r\nHost: ${hostname}\r\nAuthoriz`);
    const closed = once(socket, "close");
    expect((await ask(gktpOf(ALICE), await world.token(ALICE))).status).toBe(200);
    await closed;
    expect(said).toMatch(/^(HTTP\/1\.1 408 |$)/);
    expectNoSecret(said);
  });
});
