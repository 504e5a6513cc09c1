/**
 * KMS, GMS and MCX server in one process, twenty honest clients at work, and attackers who send what they recorded, what
 * they changed and what they made up. `npm run test:hostile` sends a million inputs and writes their figures to
 * docs/results/hostile.json. MIKEY_SAKKE_SEED repeats a run.
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { figuresOf, summary } from "./figures.ts";
import { MEMORY_LEFT, MEMORY_MOST, type RunReport, run } from "./run.ts";

const LONG = process.env.MIKEY_SAKKE_LONG === "1";
const INPUTS = Number(process.env.MIKEY_SAKKE_INPUTS ?? (LONG ? 1_000_000 : 20_000));
const SEED = process.env.MIKEY_SAKKE_SEED ?? (process.env.CI === undefined ? `${Date.now()}` : "20261128");
const HONEST = 20;
const CALM_MS = LONG ? 30_000 : 12_000;
const ATTACK_MS = LONG ? 3 * 3_600_000 : 900_000;
/** Milliseconds; more only where the machine is slow without any attacker. */
const BOUND_MS = 1000;
const SLOWER = 3;
const RESULTS = fileURLToPath(new URL("../../docs/results/hostile.json", import.meta.url));

/** Where the honest clients alone take seconds for a request, connections and calls end of themselves: nothing is exact then. */
const exact = (title: string, check: (report: RunReport) => void, of: () => RunReport) =>
  it(title, ({ skip }) => {
    const report = of();
    skip(report.calm.p99 >= BOUND_MS, `too slow for exact counts: ${report.calm.p99} ms without attackers`);
    check(report);
  });

describe(`${INPUTS} hostile inputs among ${HONEST} honest clients`, () => {
  let report: RunReport;

  beforeAll(async () => {
    report = await run({
      seed: SEED,
      inputs: INPUTS,
      honest: HONEST,
      calmMs: CALM_MS,
      attackMs: ATTACK_MS,
      note: (text) => void process.stderr.write(`hostile: ${text}\n`),
    });
    process.stderr.write(`${summary(report)}\n`);
    if (LONG) await writeFile(RESULTS, `${JSON.stringify(figuresOf(report), null, 2)}\n`);
  }, ATTACK_MS + 600_000);

  it("were all sent, and the servers answered in between", () => {
    expect(report.attack.sent).toBe(INPUTS);
    // A datagram may be lost.
    expect(report.attack.unanswered).toBeLessThan(INPUTS / 1000);
  });

  it("make no honest request fail", () => {
    const cause = (error: unknown) => (error instanceof Error && error.cause) || error;
    expect(report.failures.map(({ what, at, error }) => `${what} at ${at}: ${cause(error)}`)).toEqual([]);
  });

  it("leave no gap in the answers to honest requests", () => {
    expect(report.attacked.count).toBeGreaterThan(100);
  });

  it.runIf(LONG)(
    "leave 99 of 100 honest requests answered within a second, or as fast as without attackers",
    () => {
      expect(report.attacked.p99).toBeLessThan(Math.max(BOUND_MS, SLOWER * report.calm.p99));
    },
  );

  it("let memory grow within its bound, and it falls back", () => {
    const { before, most, after } = report.memory;
    expect(most - before).toBeLessThan(MEMORY_MOST);
    expect(after - before).toBeLessThan(MEMORY_LEFT);
  });

  it("cause no fault inside the servers, which stop cleanly", () => {
    expect(report.complaints).toEqual([]);
    expect(report.internalErrors).toBe(0);
    expect(report.status).toBe(0);
  });

  it("make the servers send nothing to a third party", () => {
    expect(report.thirdParty).toEqual([]);
  });

  it("leave every honest client with the newest key, and no key that the GMS did not make", () => {
    expect(report.rekeys.length).toBeGreaterThan(1);
    expect(report.lost).toEqual([]);
    expect(report.forgedKeys).toEqual([]);
  });

  exact(
    "every frame of an honest talker is heard once by each in the call, but for datagrams that the kernel dropped",
    ({ media }) => {
      expect(media.expected).toBeGreaterThan(0);
      expect(media).toMatchObject({ twice: 0, unexplained: 0, callsLost: 0 });
    },
    () => report,
  );

  exact(
    "every text comes once to each member, and no other text",
    ({ messages, texts, accepted: { notBrought } }) => {
      expect(messages.received).toBeGreaterThan(0);
      expect(texts).toMatchObject({ twice: 0, forged: 0 });
      // A server knows what it could not bring, as to a client whose connection has ended and who binds anew.
      expect(texts.missing).toBeLessThanOrEqual(notBrought);
      expect(notBrought).toBeLessThan(Math.max(5, messages.received / 100));
    },
    () => report,
  );

  exact(
    "the servers took what honest clients sent, and nothing else",
    ({ accepted: all, honest: honestly, attack }) => {
      const { refusals: _, notBrought: _not, subscribed, bound, ...accepted } = all;
      const { subscribed: subscribes, bound: publishes, ...honest } = honestly;
      const { subscribed: outsiders } = attack;
      const mayBe = subscribes.unanswered + outsiders.unanswered;
      expect(accepted).toEqual(honest);
      for (const [count, { granted, unanswered }] of [
        [subscribed, { granted: subscribes.granted + outsiders.granted, unanswered: mayBe }],
        [bound, publishes],
      ] as const) {
        expect(count).toBeGreaterThanOrEqual(granted);
        // An answer may be lost with its connection, which is not there on a machine with nothing else to do.
        expect(count).toBeLessThanOrEqual(granted + unanswered);
      }
    },
    () => report,
  );
});
