/** `check client` against our own client, which passes, and against copies with faults, each named by its case. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { ErrorCode } from "../../../base/errors.ts";
import { type Core, load } from "../../../bindings/core/core.ts";
import type { CaseResult } from "../../../cli/check/run.ts";
import { COMMAND } from "../command.ts";
import { STORY_MS } from "../gms/gms-process.ts";
import { startCli, temporaryFolder } from "../run-cli.ts";
import { ALICE, CASE_IDS, type Faults, GROUP, runOurClient, TOKEN } from "./our-client.ts";

let core: Core;
beforeAll(async () => {
  core = await load();
});
afterAll(() => core.destroy());

const idsOf = (results: readonly CaseResult[], verdict: string) =>
  results.filter((result) => result.verdict === verdict).map(({ id }) => id);
const failed = (results: readonly CaseResult[]) =>
  Object.fromEntries(
    results.flatMap(({ id, verdict, reason }) => (verdict === "fail" ? [[id, reason]] : [])),
  );

const key = (id: string, octet: number) => ({ id, key: new Uint8Array(32).fill(octet) });

describe("check client", () => {
  it("passes our own client over SIP, with keys wrapped and requests signed", async () => {
    const results = await runOurClient(core, { protection: { trk: key("trk-1", 1), ink: key("ink-1", 2) } });
    expect(results.map(({ id }) => id)).toEqual(CASE_IDS);
    expect([idsOf(results, "fail"), idsOf(results, "inconclusive")]).toEqual([[], []]);
    // It asks nothing over XCAP, as its keys are in the NOTIFYs.
    expect(idsOf(results, "not applicable")).toEqual(["MCC-029"]);
    expect(JSON.stringify(results)).not.toContain(TOKEN);
  });

  it("passes our own client over HTTP, which tells what it made of messages by its reports", async () => {
    const results = await runOurClient(core, { way: "http" });
    expect([idsOf(results, "fail"), idsOf(results, "inconclusive")]).toEqual([[], []]);
    const overSip = (id: string) => (id > "MCC-020" && id < "MCC-029") || (id >= "MCC-070" && id < "MCC-080");
    expect(idsOf(results, "not applicable")).toEqual(["MCC-011", ...CASE_IDS.filter(overSip)]);
  });

  it("names the faults in a client's requests, and the messages that it should have refused", async () => {
    const results = await runOurClient(core, { faults: SPEAKS_WRONGLY });
    expect(failed(results)).toEqual({
      "MCC-004": expect.stringContaining("no Bearer token"),
      "MCC-005": "the URL has the access token",
      "MCC-006": expect.stringContaining("Content-Type is text/plain"),
      "MCC-009": expect.stringContaining("3600 s off"),
      "MCC-021": "diff-processing is guesswork",
      "MCC-022": expect.stringContaining("Accept is application/sdp"),
      "MCC-026": "no access token, neither in mcptt-info nor in Authorization",
      "MCC-027": expect.stringContaining("org.3gpp.MCPTT-GONE"),
      "MCC-042": expect.stringContaining("taken, and not refused"),
      "MCC-043": expect.stringContaining("taken, and not refused"),
      "MCC-044": expect.stringContaining("taken, and not refused"),
      "MCC-045": expect.stringContaining("taken, and not refused"),
      "MCC-046": expect.stringContaining("taken, and not refused"),
      "MCC-050": expect.stringContaining("taken, and not refused"),
      "MCC-051": expect.stringContaining("taken, and not refused"),
      "MCC-055": expect.stringContaining("taken, and not refused"),
      "MCC-056": expect.stringContaining("taken, and not refused"),
      "MCC-062": expect.stringContaining("taken, and not refused"),
      "MCC-078": "the SUBSCRIBE after that has no access token",
    });
  });

  it("names a client that does not keep its subscription", async () => {
    let first = true;
    const isDropped = (text: string) => {
      if (!text.startsWith("SUBSCRIBE ")) return false;
      const isOnce = first;
      first = false;
      return !isOnce;
    };
    const results = await runOurClient(core, { faults: { sip: (text) => (isDropped(text) ? null : text) } });
    expect(failed(results)).toEqual({ "MCC-073": "no SUBSCRIBE in the dialog within 60 s" });
    expect(idsOf(results, "inconclusive")).toEqual([
      "MCC-074",
      "MCC-075",
      "MCC-076",
      "MCC-077",
      "MCC-078",
      "MCC-080",
    ]);
  });

  it("names a client that ignores the GMS's Retry-After, and one without a token after a 401", async () => {
    let last = "";
    const faults: Faults = {
      hears(text) {
        last = text.slice(0, text.indexOf("\r\n"));
        return text.replace(/^Retry-After:.*\r\n/m, "");
      },
      sip: (text) =>
        text.startsWith("SUBSCRIBE ") && last.startsWith("SIP/2.0 401")
          ? text.replace(/^Authorization:.*\r\n/m, "").replaceAll("mcptt-access-token", "mcptt-absent-token")
          : text,
    };
    const found = failed(await runOurClient(core, { faults }));
    expect(found).toEqual({
      "MCC-076": expect.stringMatching(/^the next SUBSCRIBE came after \d(\.\d+)? s$/),
      "MCC-078": "the SUBSCRIBE after that has no access token",
    });
  });

  it("names a client that stays away after a restart of the GMS", async () => {
    let isGone = false;
    const faults: Faults = {
      hears(text) {
        isGone ||= text.startsWith("SIP/2.0 481");
        return text;
      },
      sip: (text) => (isGone && text.startsWith("SUBSCRIBE ") ? null : text),
    };
    const results = await runOurClient(core, { faults });
    expect(failed(results)).toEqual({ "MCC-077": "no new SUBSCRIBE came" });
    expect(idsOf(results, "inconclusive")).toEqual(["MCC-078", "MCC-080"]);
  });
});

it("check client says where its servers are, and judges the client that comes", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const [dir, junit] = [join(folder, "check"), join(folder, "client.xml")];
  const any = ["--port", "0", "--sip-port", "0", "--expires", "10s", "--dir", dir, "--junit", junit];
  const check = startCli(["check", "client", "--user", ALICE, ...any, "--json"]);
  const place = JSON.parse((await check.shows("}\n")).split("\n")[0]!);
  expect(place).toMatchObject({ event: "listening", kmsUri: "kms.example.org", group: GROUP });
  const servers = ["--kms-url", place.kmsUrl, "--gms-uri", place.gmsUri, "--sip", place.sip.tcp];
  const trust = ["--ca", place.ca, "--token-file", place.token];
  const client = startCli([
    "client",
    "run",
    "--user",
    ALICE,
    "--group",
    GROUP,
    ...servers,
    ...trust,
    "--json",
  ]);
  const { stdout, status } = await check.ended;
  client.kill("SIGTERM");
  await client.ended;
  const { cases, counts } = JSON.parse(stdout.split("\n")[1]!);
  expect(idsOf(cases, "fail")).toEqual([]);
  expect(counts).toEqual({ pass: CASE_IDS.length - 2, fail: 0, inconclusive: 0, "not applicable": 2 });
  expect(status).toBe(0);
  expect(await readFile(junit, "utf8")).toContain('<testsuite name="mikey-sakke check client"');
});

it("check client starts the client with --run, tells it where the servers are, and ends it", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const dir = join(folder, "check");
  const any = ["--port", "0", "--sip-port", "0", "--expires", "10s", "--dir", dir];
  const servers =
    '--kms-url "$CHECK_KMS_URL" --gms-uri "$CHECK_GMS_URI" --sip "$CHECK_SIP_TCP" --group "$CHECK_GROUP"';
  const own = '--user "$CHECK_USER" --ca "$CHECK_CA" --token-file "$CHECK_TOKEN" --json';
  const ours = [process.execPath, ...COMMAND].map((word) => `'${word}'`).join(" ");
  const command = `${ours} client run ${servers} ${own} & echo pid=$!; wait`;
  const check = startCli(["check", "client", "--user", ALICE, ...any, "--run", command, "--json"]);
  const { stdout, stderr, status } = await check.ended;
  const { cases } = JSON.parse(stdout.split("\n")[1]!);
  expect([idsOf(cases, "fail"), idsOf(cases, "inconclusive"), status, stderr]).toEqual([[], [], 0, ""]);
  const log = await readFile(join(dir, "client.log"), "utf8");
  const pid = Number(/^pid=(\d+)$/m.exec(log)?.[1]);
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), STORY_MS);
});

it("check client reports that the client of --run ended by itself", async () => {
  const folder = await temporaryFolder();
  const any = ["--port", "0", "--sip-port", "0", "--start", "1s", "--dir", folder, "--run", "exit 3"];
  const { stderr, status } = await startCli(["check", "client", "--user", ALICE, ...any]).ended;
  expect(stderr).toContain(`the client has ended with 3; see ${join(folder, "client.log")}`);
  expect(status).toBe(69);
});

const TAKES: readonly ErrorCode[] = [
  "BAD_SIGNATURE",
  "INITIATOR_NOT_AUTHORISED",
  "NOT_FOR_ME",
  "KEY_ID_REUSED",
  "TIME_OUTSIDE_WINDOW",
  "PARAMETERS_NOT_AUTHENTIC",
  "GROUP_IDS_MISSING",
  "KEY_ID_REVOKED",
];

const SPEAKS_WRONGLY: Faults = {
  request(init, url) {
    if (!url.includes("/keyprov")) return url;
    init.headers["content-type"] = "text/plain";
    delete init.headers.authorization;
    const anHourAgo = (time: string) => new Date(Date.parse(time) - 3_600_000).toISOString();
    init.body = init.body?.replace(/<Time>([^<]*)/, (_, time) => `<Time>${anHourAgo(time)}`);
    return `${url}?access_token=${TOKEN}`;
  },
  sip: (text) =>
    text.startsWith("SUBSCRIBE ")
      ? text
          .replace(/^Accept:.*$/m, "Accept: application/sdp")
          .replace(/^Authorization:.*\r\n/m, "")
          .replace("diff-processing=aggregate", "diff-processing=guesswork")
          .replaceAll("mcptt-access-token", "mcptt-absent-token")
          .replaceAll("org.3gpp.MCPTT-GKTP", "org.3gpp.MCPTT-GONE")
      : text,
  takes: new Set(TAKES),
};
