// Lives through one life of a pool, named by its argument, and must end when that is over.
import * as client from "../../../../dist/bindings/index.js";
import { KmsMaster } from "../../../../dist/bindings/kms.js";
import { createPool } from "../../../../dist/bindings/pool/index.js";

const script = process.argv[2];
const now = Date.parse("2026-03-10T12:00:00Z");
const workerUrl = new URL("./observed.mjs", import.meta.url);
const pool = await createPool({ workers: 2, redo: 0, ...(script === "crashed" ? { workerUrl } : {}) });
const master = KmsMaster.generate(pool.core, client.systemRandom);
const domain = client.KmsDomain.load(pool.core, {
  kmsUri: "kms.home.example",
  userIdFormat: "2",
  userKeyPeriod: 2592000,
  userKeyOffset: 0,
  pubEncKey: master.zt,
  pubAuthKey: master.kpak,
});
const keyPeriodNo = domain.keyPeriodNo(client.ntpSeconds(client.ntpFromUnixMs(now)));
const userUri = "sip:gms@home.example";
const uid = domain.uid(userUri, keyPeriodNo);
const keySet = { kmsUri: domain.kmsUri, userUri, uid, keyPeriodNo, ...master.issue(uid) };
const initiator = client.Initiator.load(domain, [keySet]);
const plan = client.planSeal(
  { kind: "GMK", members: Array.from({ length: 40 }, (_, i) => ({ uri: `sip:user${i}@home.example` })) },
  { initiator, random: client.systemRandom, now },
);
const keys = { initiator, domains: [domain] };
switch (script) {
  case "destroyed":
    for await (const _ of pool.sealGroup(plan, keys)) _;
    await pool.destroy();
    break;
  case "destroyed-early": {
    const batches = pool.sealGroup(plan, keys, { batchSize: 4 });
    await batches.next();
    await pool.destroy();
    break;
  }
  case "crashed":
    // The observed worker has no folder to write to and fails.
    await pool
      .sealGroup(plan, keys)
      .next()
      .catch(() => {});
    await pool.destroy();
    break;
  case "idle":
    for await (const _ of pool.sealGroup(plan, keys)) _;
    break;
}
console.log(script);
