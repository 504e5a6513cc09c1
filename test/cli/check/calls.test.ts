/** `check client --calls`: our client passes every case, and copies of it with faults are each named by a case. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Core } from "../../../bindings/core/core.ts";
import { computeGukId } from "../../../bindings/identity/guk-id.ts";
import { DeliveredKey } from "../../../bindings/index.ts";
import { clientCases } from "../../../cli/check/client/index.ts";
import type { CaseResult } from "../../../cli/check/run.ts";
import { MEDIA, writeMcpttInfo, writeMultipart } from "../../../documents/group-xml/index.ts";
import { sharedCore } from "../../support/world.ts";
import { STORY_MS } from "../gms/gms-process.ts";
import { startCli, temporaryFolder } from "../run-cli.ts";
import { ALICE, type Faults, GROUP, runOurClient } from "./our-client.ts";
import { type CallFaults, floorNameOf, ssrcOf } from "./talking-client.ts";

/** Not applicable: no TrK and InK were given, and the client came over SIP. */
const NOT_APPLICABLE = ["MCC-011", "MCC-029"];

const idsOf = (results: readonly CaseResult[], verdict: string) =>
  results.filter((result) => result.verdict === verdict).map(({ id }) => id);
const failed = (results: readonly CaseResult[]) =>
  Object.fromEntries(
    results.filter(({ verdict }) => verdict === "fail").map(({ id, reason }) => [id, reason]),
  );

describe("check client --calls with a client of ours", { timeout: STORY_MS }, () => {
  let core: Core;
  beforeAll(async () => {
    core = await sharedCore();
  });

  const run = (faults: Faults = {}) => runOurClient(core, { calls: true, faults });

  it("passes it in every case", async () => {
    const results = await run();
    const others = results.filter(({ verdict }) => verdict === "fail" || verdict === "inconclusive");
    expect(others.map(({ id, reason }) => `${id} ${reason}`)).toEqual([]);
    expect(idsOf(results, "not applicable")).toEqual(NOT_APPLICABLE);
    expect(results.map(({ id }) => id)).toEqual(clientCases(true).map(({ id }) => id));
  });

  it("names the faults of its signalling", async () => {
    expect(failed(await run({ sip: signalsWrongly }))).toEqual({
      "MCC-104": "no access token, neither in an info document nor in Authorization",
      "MCC-114": "the offer has a=crypto",
      "MCC-116": expect.stringMatching(/^Route is missing, and not sip:/),
      "MCC-140": "the answer has no description",
      "MCC-141": "answered with 501",
      "MCC-142": "answered with 200",
      "MCC-143": "answered with 200",
      "MCC-144": "answered with 202",
      "MCC-151": "answered with 403",
    });
  });

  it("names a client whose CSK is not signed by it", async () => {
    const results = await run({ sip: (text) => withPart(text, "PUBLISH ", alterMikey) });
    expect(failed(results)).toMatchObject({
      "MCC-101": expect.stringContaining("the I_MESSAGE was refused: BAD_SIGNATURE"),
      "MCC-110": "no INVITE came",
    });
    expect(idsOf(results, "inconclusive")).toEqual(
      expect.arrayContaining(["MCC-111", "MCC-120", "MCC-130", "MCC-151"]),
    );
  });

  it("names a client whose info document is in clear, and one that joins another group", async () => {
    const clear = await run({ sip: (text) => withPart(text, "INVITE ", inClear) });
    expect(failed(clear)).toEqual({
      "MCC-112": "the info document came in clear",
      "MCC-113": "the info document came without a signature",
    });
    const other = await run({ calls: { groupUri: "sip:other@example.org" } });
    expect(failed(other)["MCC-111"]).toBe(`mcptt-request-uri is sip:other@example.org, and not ${GROUP}`);
  });

  it("names a client that does not renew its settings", async () => {
    let count = 0;
    const sip = (text: string) => (text.startsWith("PUBLISH ") && ++count > 1 ? null : text);
    expect(failed(await run({ sip }))["MCC-150"]).toBe("no other PUBLISH within 60 s");
  });

  it("names the faults of its floor control and of the speech that it takes", async () => {
    expect(failed(await run({ calls: turnsWrongly() }))).toEqual({
      "MCC-121": "no other Floor Request within 5 s",
      "MCC-122": "speech came after a Floor Granted that its CSK does not open",
      "MCC-123": "speech came after a Floor Deny",
      "MCC-125": "no Floor Ack came",
      "MCC-128": "a Floor Idle that its CSK does not open was taken",
      "MCC-129": "a Floor Idle that came before was taken",
      "MCC-135": "packets that came before were taken",
      "MCC-136": "packets that the GMK does not open were taken",
    });
  });

  it("names the faults of the speech that it sends", async () => {
    const results = await run({ hears: otherFormat, calls: speaksWrongly() });
    expect(failed(results)).toEqual({
      "MCC-126": expect.stringMatching(/^\d+ packets of speech came after the Floor Release$/),
      "MCC-130": "a packet was not taken: not-authentic",
      "MCC-131": expect.stringContaining("that of another user"),
      "MCC-132": expect.stringMatching(/^\d+ packets had the index of one before$/),
      "MCC-133": "payload type 0, and not 8 (PCMA/8000) of the answer",
    });
  });

  it("says nothing of what a client hears that releases the floor once only", async () => {
    let before = false;
    const calls: CallFaults = {
      sends(packet, kind) {
        if (kind === "media") before = false;
        else if (floorNameOf(packet) === "Floor Release") {
          if (before) return [];
          before = true;
        }
        return [packet];
      },
    };
    const results = await run({ calls });
    expect(failed(results)).toEqual({ "MCC-127": "no other Floor Release within 5 s" });
    expect(idsOf(results, "inconclusive")).toEqual(["MCC-128", "MCC-129", "MCC-134", "MCC-135", "MCC-136"]);
  });
});

it("check client --calls starts a client with --run, and judges its call over sockets", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const [dir, junit] = [join(folder, "check"), join(folder, "calls.xml")];
  const any = ["--port", "0", "--sip-port", "0", "--expires", "20s", "--dir", dir, "--junit", junit];
  const client = fileURLToPath(new URL("pressing-client.ts", import.meta.url));
  const command = [process.execPath, "--import", "tsx", client].map((word) => `'${word}'`).join(" ");
  const check = startCli(["check", "client", "--calls", "--user", ALICE, ...any, "--run", command, "--json"]);
  const { stdout, stderr, status } = await check.ended;
  const { cases } = JSON.parse(stdout.split("\n")[1]!) as { readonly cases: readonly CaseResult[] };
  const log = await readFile(join(dir, "client.log"), "utf8");
  expect(
    cases.filter(({ verdict }) => verdict === "fail" || verdict === "inconclusive"),
    log,
  ).toEqual([]);
  expect([status, stderr]).toEqual([0, ""]);
  expect(cases.map(({ id }) => id)).toEqual(clientCases(true).map(({ id }) => id));
  expect(await readFile(junit, "utf8")).toContain('failures="0"');
});

it("check client --calls cannot do without SIP", async () => {
  const { status, stderr } = await startCli(["check", "client", "--calls", "--no-sip", "--user", ALICE])
    .ended;
  expect(stderr).toContain("--calls needs SIP: leave out --no-sip");
  expect(status).toBe(2);
});

function signalsWrongly(text: string): string {
  const [line = ""] = text.split("\r\n", 1);
  const method = /^CSeq: *\d+ (\S+)/m.exec(text)?.[1] ?? "";
  const answer = (status: string) => text.replace(/^SIP\/2\.0 [^\r\n]*/, `SIP/2.0 ${status}`);
  if (line.startsWith("PUBLISH ")) return text.replace(/^Authorization:.*\r\n/m, "");
  if (line.startsWith("ACK ")) return text.replace(/^Route:.*\r\n/m, "");
  if (line.startsWith("INVITE ")) {
    return withBody(text, (body) => body.replace("a=ptime:20", "a=crypto:1"));
  }
  if (line.startsWith("SIP/2.0 405") && method === "CHECKING") return answer("200 OK");
  if (line.startsWith("SIP/2.0 500") && method === "OPTIONS") return answer("200 OK");
  if (line.startsWith("SIP/2.0 481") && method === "BYE") return answer("202 Accepted");
  if (!line.startsWith("SIP/2.0 200")) return text;
  if (method === "BYE") return answer("403 Forbidden");
  if (method === "UPDATE") return answer("501 Not Implemented");
  return method === "INVITE"
    ? text.replace("Content-Type: application/sdp", "Content-Type: text/plain")
    : text;
}

function withBody(text: string, edit: (body: string) => string): string {
  const at = text.indexOf("\r\n\r\n") + 4;
  const body = edit(text.slice(at));
  return text.slice(0, at).replace(/^Content-Length:.*$/m, `Content-Length: ${body.length}`) + body;
}

/** Edits a request of that kind. Those without a body stay as they are. */
function withPart(text: string, method: string, edit: (text: string) => string): string {
  return text.startsWith(method) && text.includes("Content-Type: multipart/") ? edit(text) : text;
}

/** Octets of the signature, which is the end of the message. */
function alterMikey(text: string): string {
  return withBody(text, (body) => {
    const end = body.lastIndexOf("\r\n--");
    const octets = Buffer.from(body, "latin1");
    octets.fill(0, end - 20, end - 10);
    return octets.toString("latin1");
  });
}

function inClear(text: string): string {
  if (/^To:.*;tag=/m.test(text)) return text;
  const rest = text.slice(text.indexOf("v=0\r\n"));
  const sdp = rest.slice(0, rest.indexOf("\r\n--"));
  const info = writeMcpttInfo({ requestType: "prearranged", requestUri: GROUP, callingUser: ALICE });
  const { contentType, body } = writeMultipart([
    { contentType: MEDIA.mcpttInfo, body: Buffer.from(info) },
    { contentType: MEDIA.sdp, body: Buffer.from(sdp) },
  ]);
  return withBody(text.replace(/^Content-Type:.*$/m, `Content-Type: ${contentType}`), () =>
    Buffer.from(body).toString("latin1"),
  );
}

/** Acts on whatever floor messages and speech it gets, and does not answer as it should. */
function turnsWrongly(): CallFaults {
  const known = new Map<string, number>();
  const heard = new Set<string>();
  let requestedAt = Number.NEGATIVE_INFINITY;
  return {
    sends(packet, kind, { clock }) {
      if (kind === "media") return [packet];
      const name = floorNameOf(packet);
      if (name === "Floor Ack") return [];
      if (name !== "Floor Request") return [packet];
      // The next press comes when all three have had no answer.
      const isAgain = clock.now() - requestedAt < 5500;
      if (!isAgain) requestedAt = clock.now();
      return isAgain ? [] : [packet];
    },
    async hears(packet, kind, { mcx }) {
      const call = mcx?.call;
      if (call === undefined) return packet;
      const octets = Buffer.from(packet).toString("latin1");
      const isAgain = heard.has(octets);
      heard.add(octets);
      const ssrc = ssrcOf(packet, kind);
      const isForged = known.has(kind) && known.get(kind) !== ssrc;
      if (!known.has(kind) && kind === "media") known.set(kind, ssrc);
      if (kind === "media") return isAgain || isForged ? call.speechOfAnother() : packet;
      const name = floorNameOf(packet);
      if (name === "Floor Idle") {
        const isStrange = isAgain || ssrc !== ssrcOf(await call.sealed({ name: "Floor Idle" }), "floor");
        return isStrange ? call.sealed({ name: "Floor Idle" }) : packet;
      }
      if (name !== "Floor Granted" && name !== "Floor Deny") return packet;
      const own = await call.sealed({ name: "Floor Granted", duration: 60 });
      return name === "Floor Deny" || ssrc !== ssrcOf(own, "floor") ? own : packet;
    },
  };
}

/** The server's description as a client misreads it. */
function otherFormat(text: string): string {
  return text.replace("RTP/SAVP 8", "RTP/SAVP 0").replace("a=rtpmap:8 PCMA", "a=rtpmap:0 PCMU");
}

function speaksWrongly(): CallFaults {
  let last: Uint8Array | undefined;
  let count = 0;
  return {
    groupKeys: (keys) => ({
      receiving: (keyId) => keys.receiving(keyId),
      sending() {
        const key = keys.sending();
        return key && (madeOf.get(key) ?? otherMember(key));
      },
    }),
    sends(packet, kind, { clock, speak }) {
      if (kind === "media") {
        last = packet;
        if (++count !== 3) return [packet];
        const altered = packet.slice();
        altered[20]! ^= 1;
        return [altered];
      }
      // What was said last is said again when the floor has been released.
      if (floorNameOf(packet) === "Floor Release") clock.after(1000, () => last && speak(last));
      return [packet];
    },
  };
}

const madeOf = new Map<DeliveredKey, DeliveredKey>();
afterAll(() => {
  for (const key of madeOf.values()) key.destroy();
});

function otherMember(key: DeliveredKey): DeliveredKey {
  const { kind, keyId, rand } = key;
  const octets = key.reveal();
  const ukId = computeGukId(octets, keyId, "sip:bob@example.org");
  const made = new DeliveredKey(octets, { kind, keyId, ukId, rand });
  madeOf.set(key, made);
  return made;
}
