/** Tests what operators are told of the ends of keys and certificates, and of the connections to the database. */
import { expect, it } from "vitest";
import { Initiator, KmsDomain } from "../../bindings/identity/index.ts";
import { keyEndsOf, keyMetrics } from "../../roles/server/key-metrics.ts";
import { poolMetrics } from "../../roles/server/pool-metrics.ts";
import { DAY_MS, GMS, HOME_KMS, makeKms, NOW, sharedCore } from "../support/world.ts";

const PERIOD_MS = 30 * DAY_MS;

/** Values by metric and labels. */
const valuesIn = (text: string) =>
  Object.fromEntries(
    Array.from(text.matchAll(/^(\w+(?:\{.*\})?) (\S+)$/gm), ([, name, value]) => [name, Number(value)]),
  );

it("ends of keys are those of a row of key periods from now, 0 where the present one is missing", async () => {
  const core = await sharedCore();
  const kms = makeKms(core, HOME_KMS);
  const next = KmsDomain.load(core, { ...kms.certificate, certUri: "next", validTo: NOW + 5 * PERIOD_MS });
  const initiator = Initiator.load(kms.domain, [kms.keySet(GMS), kms.keySet(GMS, NOW + PERIOD_MS)]);
  // Behind a gap.
  initiator.add(kms.keySet(GMS, NOW + 3 * PERIOD_MS));
  const clock = { now: NOW };
  const ends = keyEndsOf(
    () => ({ initiator, domains: [kms.domain, next] }),
    () => clock.now,
  );
  const told = async () => valuesIn(await keyMetrics(ends)());
  const first = await told();
  const period = first.key_period_end_timestamp_seconds!;
  expect(period * 1000).toBeGreaterThan(NOW);
  expect(period * 1000).toBeLessThanOrEqual(NOW + PERIOD_MS);
  expect(first).toEqual({
    key_period_end_timestamp_seconds: period,
    server_keys_end_timestamp_seconds: period + PERIOD_MS / 1000,
    [`kms_certificate_end_timestamp_seconds{kms="${HOME_KMS}"}`]: (NOW + 5 * PERIOD_MS) / 1000,
  });
  clock.now = (period + 1) * 1000;
  expect((await told()).server_keys_end_timestamp_seconds).toBe(period + PERIOD_MS / 1000);
  clock.now = NOW + 2 * PERIOD_MS;
  expect(await told()).toMatchObject({
    key_period_end_timestamp_seconds: period + (2 * PERIOD_MS) / 1000,
    server_keys_end_timestamp_seconds: 0,
  });
  next.destroy();
});

it("a server without identity keys tells of the key period only", async () => {
  const text = await keyMetrics({ period: () => 5000 })();
  expect(valuesIn(text)).toEqual({ key_period_end_timestamp_seconds: 5 });
});

it("connections to the database are told by their state, and nothing where there is no pool", async () => {
  const pool = { max: 6, used: 2, idle: 1, waiting: 3 };
  expect(valuesIn(await poolMetrics(() => pool)())).toEqual({
    'database_connections{state="used"}': 2,
    'database_connections{state="idle"}': 1,
    database_connections_max: 6,
    database_waiting_transactions: 3,
  });
  expect(valuesIn(await poolMetrics(() => undefined)())).toEqual({});
});
