/** `check` against our own servers, where all cases pass, and against copies with faults, each named by its case. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../../base/random.ts";
import { load } from "../../../bindings/core/core.ts";
import { GROUP_CALL_CASES, KEY_CASES } from "../../../cli/check/client/index.ts";
import { GMS_CASES } from "../../../cli/check/gms/index.ts";
import { checkGmsOver } from "../../../cli/check/gms/over.ts";
import { checkKms, KMS_CASES } from "../../../cli/check/kms/index.ts";
import type { CaseResult } from "../../../cli/check/run.ts";
import { checkTokens } from "../../../cli/check/tokens.ts";
import { knownServers } from "../../../cli/device/known-servers.ts";
import { clientTokens } from "../../../cli/device/tokens.ts";
import { readRunning } from "../../../cli/gms/running-file.ts";
import { httpsFetch } from "../../../cli/server/https.ts";
import { type GmsProcess, STORY_MS, serve } from "../gms/gms-process.ts";
import { cli } from "../kms/kms-process.ts";
import { runCli, temporaryFolder } from "../run-cli.ts";
import { faultyGms, GMS_FAULTS } from "./gms-faults.ts";
import { faulty, kmsFaults } from "./kms-faults.ts";

const ALICE = "sip:alice@example.org";
const BOB = "sip:bob@example.org";
const CAROL = "sip:carol@example.org";
const FIRE = "sip:fire@example.org";

interface Report {
  readonly status: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly cases: readonly CaseResult[];
}

const idsOf = (results: readonly CaseResult[], verdict: string) =>
  results.filter((result) => result.verdict === verdict).map(({ id }) => id);

describe("the check command", { timeout: STORY_MS }, () => {
  it("passes our own servers, and names each seeded fault of a copy", async () => {
    const folder = await temporaryFolder();
    const servers = await serve(join(folder, "data"));
    await passesKms(servers, folder);
    await namesFaultsOfKms(servers);
    await cli("group", "create", FIRE, BOB, "--data-dir", servers.dataDir);
    await passesGms(servers);
    await namesFaultsOfGms(servers);
  });
});

/** Alice has a TrK and an InK, and Bob, at the copy with faults, has none: between them every case applies. */
async function passesKms({ dataDir }: GmsProcess, folder: string): Promise<void> {
  const [trk, ink, junit] = ["alice.trk", "alice.ink", "kms.xml"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await cli("kms", "transport-key", "--user", ALICE, "--trk", trk, "--ink", ink, "--data-dir", dataDir);
  const local = ["check", "kms", "--local", dataDir, "--json"];
  const signed = await runCli([...local, "--user", ALICE, "--trk", trk, "--ink", ink, "--junit", junit]);
  const alice = signed.json<Report>();
  expect(idsOf(alice.cases, "fail")).toEqual([]);
  expect(idsOf(alice.cases, "inconclusive")).toEqual(["KMS-002"]);
  expect(idsOf(alice.cases, "not applicable")).toEqual(["KMS-070"]);
  expect(alice.cases.map(({ id }) => id)).toEqual(KMS_CASES.map(({ id }) => id));
  expect(signed.status).toBe(0);
  // A report goes into the hands of the vendor: it has no key and no token.
  expect(signed.stdout).not.toMatch(/UserSigningKeySSK|eyJ[A-Za-z0-9_-]{10}/);
  const xml = await readFile(junit, "utf8");
  expect(xml).toContain(`<testsuite name="mikey-sakke check kms" tests="${KMS_CASES.length}" failures="0"`);
  expect(xml).toContain('<skipped message="not applicable: ');
}

async function namesFaultsOfKms({ dataDir, kmsUrl, ca }: GmsProcess): Promise<void> {
  const core = await load();
  const { fetch, close } = await httpsFetch(ca);
  const tokens = checkTokens("KMS", {}, BOB, dataDir);
  const [valid, expired] = [await tokens.valid(), await tokens.expired!()];
  const faults = kmsFaults({ valid, expired }, BOB, CAROL);
  const results = await checkKms({
    url: kmsUrl,
    userUri: BOB,
    otherUserUri: CAROL,
    tokens: { ...tokens, valid: async () => valid, expired: async () => expired },
    protection: {},
    fetch: faulty(fetch, faults),
    core,
    now: Date.now,
    random: systemRandom,
  });
  core.destroy();
  await close();
  expect(faults.length).toBeGreaterThanOrEqual(10);
  expect(idsOf(results, "inconclusive")).toEqual([]);
  expect(idsOf(results, "not applicable")).toEqual([
    ...["KMS-008", "KMS-028", "KMS-029", "KMS-072", "KMS-073", "KMS-074"],
  ]);
  const failed = results.filter(({ verdict }) => verdict === "fail");
  expect(failed.map(({ id, reason }) => [id, reason])).toEqual(
    faults.map(({ id }) => [id, expect.any(String)]).sort(),
  );
}

async function passesGms({ dataDir }: GmsProcess): Promise<void> {
  const run = await runCli(["check", "gms", "--local", dataDir, "--user", BOB, "--group", FIRE, "--json"]);
  const { status, cases } = run.json<Report>();
  expect(cases.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  expect(cases.map(({ id }) => id)).toEqual(GMS_CASES.map(({ id }) => id));
  expect([status, run.status]).toEqual(["passed", 0]);
  expect(run.stdout).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/);
}

async function namesFaultsOfGms({ dataDir }: GmsProcess): Promise<void> {
  const tokens = checkTokens("GMS", {}, BOB, dataDir);
  const [valid, expired] = [await tokens.valid(), await tokens.expired!()];
  const results = await checkGmsOver({
    userUri: BOB,
    otherUserUri: CAROL,
    group: FIRE,
    place: knownServers({}, await readRunning(dataDir)),
    tokens: { ...tokens, valid: async () => valid, expired: async () => expired },
    kmsToken: clientTokens({}, BOB, dataDir).kmsToken,
    protection: {},
    between: (parts) => faultyGms(parts, { valid, expired, user: BOB, other: CAROL }),
  });
  const failed = results.filter(({ verdict }) => verdict === "fail");
  const expected = Object.keys(GMS_FAULTS).map((id) => [id, expect.any(String)]);
  expect(failed.map(({ id, reason }) => [id, reason])).toEqual(expected);
  expect(idsOf(results, "inconclusive")).toEqual([
    ...["GMS-005", "GMS-066", "GMS-067", "GMS-068", "GMS-069", "GMS-070"],
  ]);
}

it("docs/check.md describes every case of the check commands", async () => {
  const page = await readFile(new URL("../../../docs/check.md", import.meta.url), "utf8");
  const rows = page.split("\n").filter((line) => /^\| [A-Z]{3}-\d{3} /.test(line));
  expect(rows).toEqual(
    [...KMS_CASES, ...GMS_CASES, ...KEY_CASES, ...GROUP_CALL_CASES].map(
      ({ id, title, clause }) => `| ${id} | ${title} | ${clause} |`,
    ),
  );
});
