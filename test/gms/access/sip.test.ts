/** Subscriptions to other users' documents are refused, counted and logged, and no answer or NOTIFY contains a key. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GROUP, HOST } from "../foreign/running-gms.ts";
import { GMS_URI } from "../memory-gms.ts";
import { type AccessWorld, ALICE, accessWorld, BOB, MALLORY } from "./exposed-gms.ts";

const gktpOf = (uri: string) => `org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(uri)}/`;
const GROUP_DOCUMENT = `org.openmobilealliance.groups/global/byGroupID/${encodeURIComponent(GROUP)}`;

interface Subscribe {
  readonly from: string;
  readonly token?: string;
  readonly documents: readonly string[];
  /** Octets that are put behind the list. */
  readonly padding?: number;
}

describe("access over SIP", () => {
  let world: AccessWorld;
  beforeAll(async () => {
    world = await accessWorld();
  });
  afterAll(() => world?.close());

  /**
   * Everything that comes back on a connection of its own: up to the answer, and the first NOTIFY where there is one.
   */
  async function subscribe({ from, token, documents, padding = 0 }: Subscribe): Promise<string> {
    const socket = connect(world.tcp, HOST);
    await once(socket, "connect");
    const entries = documents.map((uri) => `<entry uri="${uri}"/>`).join("");
    const list =
      `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>${entries}</list></resource-lists>` +
      " ".repeat(padding);
    const local = `${HOST}:${socket.localPort}`;
    const head = [
      `SUBSCRIBE sip:gms@${HOST}:${world.tcp};transport=tcp SIP/2.0`,
      `Via: SIP/2.0/TCP ${local};branch=z9hG4bK${randomBytes(8).toString("hex")}`,
      `From: <${from}>;tag=${randomBytes(4).toString("hex")}`,
      `To: <${GMS_URI}>`,
      `Call-ID: ${randomBytes(8).toString("hex")}`,
      "CSeq: 1 SUBSCRIBE",
      `Contact: <sip:x@${local};transport=tcp>`,
      "Max-Forwards: 70",
      "Event: xcap-diff;diff-processing=aggregate",
      "Expires: 600",
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      "Content-Type: application/resource-lists+xml",
      `Content-Length: ${list.length}`,
    ];
    let said = "";
    socket.on("error", () => undefined);
    const heard = new Promise<void>((resolve) => {
      socket.setEncoding("latin1").on("data", (text) => {
        said += text;
        const accepted = said.startsWith("SIP/2.0 200");
        if (accepted ? /<\/xcap-diff>|xcap-root="[^"]*"\/>/.test(said) : /\r\n\r\n/.test(said)) resolve();
      });
      socket.on("close", () => resolve());
    });
    socket.write(`${head.join("\r\n")}\r\n\r\n${list}`);
    await heard;
    socket.destroy();
    return said;
  }

  const statusOf = (said: string) => Number(/^SIP\/2\.0 (\d{3})/.exec(said)?.[1] ?? 0);
  const secretsIn = (said: string) => world.secrets.filter((secret) => said.toUpperCase().includes(secret));

  async function expectRefused(status: number, code: string, request: Subscribe): Promise<void> {
    const label = new RegExp(`code="${code}"`);
    const before = await world.metric("gms_subscribes_total", label);
    await world.refused();
    const said = await subscribe(request);
    expect(statusOf(said)).toBe(status);
    expect(said).not.toContain("NOTIFY");
    expect(secretsIn(said)).toEqual([]);
    expect(await world.metric("gms_subscribes_total", label)).toBe(before + 1);
    expect((await world.refused()).map((entry) => entry.code)).toEqual([code]);
  }

  /** RFC 5875 4.7: pending. */
  async function expectNothing(request: Subscribe): Promise<void> {
    const said = await subscribe(request);
    expect(statusOf(said)).toBe(200);
    expect(secretsIn(said)).toEqual([]);
    expect(said).not.toContain("<document");
  }

  it("gives a member its own keys", async () => {
    const said = await subscribe({
      from: ALICE,
      token: await world.token(ALICE),
      documents: [gktpOf(ALICE)],
    });
    expect(statusOf(said)).toBe(200);
    expect(secretsIn(said)).toHaveLength(1);
  });

  it("refuses a client without a token", () =>
    expectRefused(401, "TOKEN_MISSING", { from: ALICE, documents: [gktpOf(ALICE)] }));

  it("gives nothing for a From that the token does not prove", async () => {
    const token = await world.token(MALLORY);
    await expectNothing({ from: ALICE, token, documents: [gktpOf(ALICE)] });
  });

  it("refuses an expired token that is replayed", async () => {
    const token = await world.issuer.token({ userUri: ALICE, now: Date.now() - 7_200_000 });
    await expectRefused(401, "TOKEN_EXPIRED", { from: ALICE, token, documents: [gktpOf(ALICE)] });
  });

  it("refuses a token of another server", async () => {
    const options = { userUri: ALICE, now: Date.now(), audience: ["kms.home.example"] };
    const token = await world.issuer.token(options);
    await expectRefused(401, "TOKEN_INVALID", { from: ALICE, token, documents: [gktpOf(ALICE)] });
  });

  it("shows nothing to a user who is in no group", async () => {
    const token = await world.token(MALLORY);
    await expectNothing({ from: MALLORY, token, documents: [GROUP_DOCUMENT] });
    await expectNothing({ from: MALLORY, token, documents: [gktpOf(ALICE)] });
  });

  it("leaves out somebody else's keys", async () => {
    const said = await subscribe({
      from: BOB,
      token: await world.token(BOB),
      documents: [gktpOf(ALICE), gktpOf(BOB)],
    });
    expect(statusOf(said)).toBe(200);
    expect(secretsIn(said)).toHaveLength(1);
    expect(said).not.toContain(encodeURIComponent(ALICE));
  });

  it("refuses a body that is too large by its length, whoever sends it", async () => {
    const token = await world.token(ALICE);
    const said = await subscribe({ from: ALICE, token, documents: [gktpOf(ALICE)], padding: 5000 });
    expect(statusOf(said)).toBe(513);
  });

  it("serves others while a client sends drop by drop", async () => {
    const slow = connect(world.tcp, HOST);
    await once(slow, "connect");
    slow.write("SUBSCRIBE sip:gms@127.0.0.1 SIP/2.0\r\nVia: ");
    const said = await subscribe({
      from: ALICE,
      token: await world.token(ALICE),
      documents: [gktpOf(ALICE)],
    });
    expect(statusOf(said)).toBe(200);
    slow.destroy();
  });
});
