/** SIGHUP: servers that run take up what has changed in their configuration, or nothing of it. */
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { Writable } from "node:stream";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, it, onTestFinished, vi } from "vitest";
import { reload } from "../../cli/serve/reload.ts";
import { httpsFetch } from "../../cli/server/https.ts";
import { selfSigned } from "../../cli/server/self-signed.ts";
import { createLog } from "../../roles/server/log.ts";
import { STORY_MS, serve } from "./gms/gms-process.ts";
import { cli, serveKms } from "./kms/kms-process.ts";
import { temporaryFolder } from "./run-cli.ts";

const GROUP = "sip:fire@example.org";
const ALICE = "sip:alice@example.org";
const GMS = "sip:gms@gms.localhost";
const REFUSED = "configuration refused: all of the one before it stays in use";
const DONE = "configuration read anew";

/** A SUBSCRIBE without a token, whose refusal the GMS logs at level debug. */
const SUBSCRIBE = [
  "SUBSCRIBE sip:gms.localhost SIP/2.0",
  "Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKreload",
  "From: <sip:alice@example.org>;tag=a",
  "To: <sip:gms.localhost>",
  "Contact: <sip:alice@127.0.0.1>",
  "Call-ID: reload",
  "CSeq: 1 SUBSCRIBE",
  "Event: xcap-diff",
  "Max-Forwards: 70",
  "Content-Length: 0",
  "\r\n",
].join("\r\n");

interface Line {
  level: number;
  msg: string;
  changed?: string[];
  detail?: string;
}

interface Served {
  readonly pid: number;
  log(): string;
}

/** Returns what of its log is of the server's own making: what commander and Node.js write is no JSON. */
function lines({ log }: Served): Line[] {
  return log()
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line));
}

/** The line by which the server answers a SIGHUP. */
async function hangUp(server: Served): Promise<Line> {
  const answers = () => lines(server).filter(({ msg }) => msg === DONE || msg === REFUSED);
  const before = answers().length;
  process.kill(server.pid, "SIGHUP");
  await vi.waitFor(() => expect(answers().length).toBe(before + 1), { timeout: STORY_MS, interval: 50 });
  return answers().at(-1)!;
}

async function issuerNamed(issuer: string) {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  return {
    tokens: { issuer, audience: GMS, jwks: { keys: [{ ...(await exportJWK(publicKey)) }] } },
    token: () =>
      new SignJWT({ mcptt_id: ALICE, scope: "3gpp:mc:ptt_group_management_service" })
        .setProtectedHeader({ alg: "ES256" })
        .setIssuer(issuer)
        .setAudience(GMS)
        .setExpirationTime("1h")
        .sign(privateKey),
  };
}

it("serve reloads log level, token issuer and policies, or nothing of a faulty file", {
  timeout: STORY_MS,
}, async () => {
  const [one, two] = [await issuerNamed("https://one.example"), await issuerNamed("https://two.example")];
  const data = await temporaryFolder();
  const file = join(data, "config.json");
  const first = {
    kmsUri: "kms.localhost",
    gms: { gmsUri: GMS, sip: { udpPort: 5060, tcpPort: 5060 }, tokens: one.tokens },
    mcx: { mcxUri: "sip:mcx@mcx.localhost", mixing: false },
  };
  const put = (changes: object, ofGms: object) =>
    writeFile(file, JSON.stringify({ ...first, ...changes, gms: { ...first.gms, ...ofGms } }));
  await put({}, {});
  const servers = await serve(data);

  const { fetch, close } = await httpsFetch(servers.ca);
  onTestFinished(close);
  const path = `org.openmobilealliance.groups/global/byGroupID/${encodeURIComponent(GROUP)}`;
  const statusWith = async ({ token }: typeof one) => {
    const headers = { authorization: `Bearer ${await token()}` };
    const answer = await fetch(`${servers.xcapRoot}/${path}`, { headers });
    await answer.arrayBuffer();
    return answer.status;
  };
  const group = (command: string, ...args: string[]) => cli("group", command, ...args, "--data-dir", data);
  const gmkIn = async (run: ReturnType<typeof cli>) => {
    const made = (await run).json<{ gmkId?: string; rekeys?: { gmkId: string }[] }>();
    const gmkId = made.gmkId ?? made.rekeys![0]!.gmkId;
    const { gmks } = (await group("keys", GROUP)).json<{ gmks: Record<string, string>[] }>();
    return gmks.find((gmk) => gmk.gmkId === gmkId)!;
  };
  const lifetimeOf = ({ activation, expiry }: Record<string, string>) =>
    (Date.parse(expiry!) - Date.parse(activation!)) / 1000;

  // A connection that goes on through all of it.
  const socket = connect(Number(/:(\d+);/.exec(servers.sip.tcp!)![1]), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const answersKeepAlive = async () => {
    socket.write("\r\n\r\n");
    return String((await once(socket, "data"))[0]);
  };
  expect(await answersKeepAlive()).toBe("\r\n");

  expect(lifetimeOf(await gmkIn(group("create", GROUP, ALICE)))).toBe(30 * 86_400);
  expect([await statusWith(one), await statusWith(two)]).toEqual([200, 401]);
  expect(lines(servers).filter(({ level }) => level < 30)).toEqual([]);

  // Nothing has changed.
  expect(await hangUp(servers)).toMatchObject({ level: 30, msg: DONE, changed: [] });

  const policy = { gmkLifetime: 3600, revokeGrace: 7200 };
  await put({ log: { level: "debug" } }, { tokens: two.tokens, policy });
  expect(await hangUp(servers)).toMatchObject({
    level: 30,
    msg: DONE,
    changed: [
      "gms.tokens.issuer",
      "gms.tokens.jwks.keys",
      "gms.policy.gmkLifetime",
      "gms.policy.revokeGrace",
      "log.level",
    ],
  });
  expect([await statusWith(one), await statusWith(two)]).toEqual([401, 200]);
  expect(lifetimeOf(await gmkIn(group("rekey", GROUP)))).toBe(3600);
  socket.write(SUBSCRIBE);
  expect(String((await once(socket, "data"))[0])).toMatch(/^SIP\/2\.0 401 /);
  await vi.waitFor(() => expect(lines(servers).some(({ level }) => level < 30)).toBe(true), STORY_MS);

  // Settings that cannot change are named, and nothing else of the file is used either.
  const other = { log: { level: "error" }, listen: { host: "127.0.0.2" }, domains: ["example.org"] };
  const mcx = { ...first.mcx, media: { firstPort: 40_000, lastPort: 40_009 } };
  await put({ ...other, mcx }, { tokens: one.tokens, policy: { gmkLifetime: 60 } });
  const fixed = ["listen.host", "domains", "mcx.media.firstPort", "mcx.media.lastPort"];
  const told = fixed.map((key) => `${key}: cannot change while the server runs; restart it`);
  expect(await hangUp(servers)).toMatchObject({ level: 50, msg: REFUSED, detail: told.join("; ") });
  // Development tokens are for servers that begin with them.
  await put({ tokens: one.tokens }, { tokens: undefined });
  expect(await hangUp(servers)).toMatchObject({ level: 50, msg: REFUSED });

  await writeFile(file, `{\n"kmsUri": "kms.localhost" "hunter2"}`);
  expect(await hangUp(servers)).toMatchObject({ level: 50, detail: `${file}: not JSON in line 2` });
  await put({}, { policy: { gmkLifetime: "hunter2" } });
  const invalid = await hangUp(servers);
  expect(invalid).toMatchObject({ level: 50, detail: expect.stringContaining("policy.gmkLifetime: ") });
  await put({ log: { level: "loud" } }, { policy: { gmkLifetime: 60 } });
  expect(await hangUp(servers)).toMatchObject({ level: 50, detail: expect.stringContaining("log.level: ") });
  expect(servers.log()).not.toContain("hunter2");

  expect([await statusWith(one), await statusWith(two)]).toEqual([401, 200]);
  expect(lifetimeOf(await gmkIn(group("rekey", GROUP)))).toBe(3600);
  expect(await answersKeepAlive()).toBe("\r\n");
  expect(await servers.end("SIGTERM")).toBe(0);
});

it("serve kms keeps the log level of the command line on a reload", { timeout: STORY_MS }, async () => {
  const data = join(await temporaryFolder(), "data");
  const kms = await serveKms(data, "--log-level", "info");
  const file = join(data, "config.json");
  const config = JSON.parse(await readFile(file, "utf8"));
  const policy = { autoEnrol: false, strictSchema: true };
  await writeFile(file, JSON.stringify({ ...config, policy, log: { level: "error" } }));
  expect(await hangUp(kms)).toMatchObject({
    level: 30,
    changed: ["policy.autoEnrol", "policy.strictSchema"],
  });
  await writeFile(file, JSON.stringify({ ...config, userKeyPeriod: 3600 }));
  expect(await hangUp(kms)).toMatchObject({
    level: 50,
    detail: "userKeyPeriod: cannot change while the server runs; restart it",
  });
});

it("a file that changes during a reload is refused, as servers would differ otherwise", async () => {
  const file = join(await temporaryFolder(), "config.json");
  await writeFile(file, JSON.stringify({ kmsUri: "kms.localhost" }));
  const written: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const log = createLog("info", sink);
  const applied: string[] = [];
  const reconfigured = (part: string) => ({
    changed: ["policy.autoEnrol"],
    fixed: [],
    apply: () => void applied.push(part),
  });
  let isReplaced = true;
  const parts = {
    kms: async () => reconfigured("kms"),
    gms: async () => {
      if (isReplaced) await writeFile(file, JSON.stringify({ kmsUri: "kms.localhost", gms: {} }));
      return reconfigured("gms");
    },
  };
  const again = () => reload({ credentials: [], parts, options: {}, file, log });
  await again();
  expect(applied).toEqual([]);
  expect(JSON.parse(written.at(-1)!)).toMatchObject({ level: 50, detail: expect.stringContaining(file) });
  isReplaced = false;
  await again();
  expect(applied).toEqual(["kms", "gms"]);
  const changed = ["policy.autoEnrol", "gms.policy.autoEnrol"];
  expect(JSON.parse(written.at(-1)!)).toMatchObject({ level: 30, changed });
});

it("serve kms reloads the authority of the token issuer from its file", {
  timeout: STORY_MS,
}, async () => {
  const data = await temporaryFolder();
  const caFile = join(data, "issuer-ca.pem");
  const one = selfSigned(["localhost"], Date.now(), 1);
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwks = JSON.stringify({ keys: [await exportJWK(publicKey)] });
  const issuer = createServer({ cert: one.certificate, key: one.key }, (_, response) => response.end(jwks));
  await new Promise<void>((done) => void issuer.listen(0, "localhost", done));
  onTestFinished(() => {
    issuer.closeAllConnections();
    issuer.close();
  });
  const { port } = issuer.address() as AddressInfo;
  const tokens = {
    ...{ issuer: "https://one.example", audience: "kms.localhost", caFile: "issuer-ca.pem" },
    jwksUri: `https://localhost:${port}/jwks`,
  };
  await writeFile(join(data, "config.json"), JSON.stringify({ kmsUri: "kms.localhost", tokens }));
  await writeFile(caFile, one.certificate);
  const kms = await serveKms(data);
  const token = await new SignJWT({ mcptt_id: ALICE, scope: "3gpp:mc:ptt_key_management_service" })
    .setProtectedHeader({ alg: "ES256" })
    .setIssuer(tokens.issuer)
    .setAudience(tokens.audience)
    .setExpirationTime("1h")
    .sign(privateKey);
  const { fetch, close } = await httpsFetch(kms.ca);
  onTestFinished(close);
  /** 400: the token was good, and the body was looked at. */
  const status = async () => {
    const url = `${kms.url}/keymanagement/identity/v1/init`;
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/xml" };
    const answer = await fetch(url, { method: "POST", headers, body: "<x/>" });
    await answer.arrayBuffer();
    return answer.status;
  };
  expect(await status()).toBe(400);

  await writeFile(caFile, "no certificate");
  expect(await hangUp(kms)).toMatchObject({
    level: 50,
    msg: REFUSED,
    detail: `tokens.caFile: ${caFile}: no certificate in PEM`,
  });
  expect(await status()).toBe(400);
  const two = selfSigned(["localhost"], Date.now(), 1);
  issuer.setSecureContext({ cert: two.certificate, key: two.key });
  issuer.closeAllConnections();
  await writeFile(caFile, two.certificate);
  expect(await hangUp(kms)).toMatchObject({ level: 30, msg: DONE, changed: [] });
  expect(await status()).toBe(400);
  const { adminUrl } = kms;
  const metrics = await (await globalThis.fetch(`${adminUrl}/metrics`)).text();
  expect(metrics).toContain(`token_issuer_up{jwks_uri="${tokens.jwksUri}"} 1`);
  expect(metrics).toMatch(
    new RegExp(`^tls_certificate_expiry_timestamp_seconds\\{file="${kms.ca}"\\} \\d+`, "m"),
  );
});
