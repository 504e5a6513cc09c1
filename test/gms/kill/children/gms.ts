/**
 * A GMS as a process of its own: reads orders from standard input, a line of JSON each, and answers each with a line.
 * Standard output is a pipe, which Node.js writes synchronously: what was said before a kill has been said.
 */
import { createInterface } from "node:readline";
import { gmsAdminFileOf } from "../../../../cli/gms/gms-folder.ts";
import { writeAdminFile } from "../../../../cli/server/admin-file.ts";
import { openDatabase } from "../../../../store/index.ts";
import { GROUP, OPERATOR, startGms } from "../../foreign/running-gms.ts";
import { newMembers } from "../../memory-gms.ts";
import type { GmsJob, Order, Said } from "../protocol.ts";

const TOKEN = "operator";
const job = JSON.parse(process.argv[2]!) as GmsJob;
const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`);

const db = await openDatabase(job.database);
const running = await startGms({
  database: db,
  workers: job.workers,
  instance: job.instance,
  issuerJwk: job.issuerJwk,
  config: job.config,
  adminToken: TOKEN,
});
if (job.dataDir !== undefined) {
  const access = { url: running.adminUrl, token: TOKEN, pid: process.pid };
  await writeAdminFile(gmsAdminFileOf(job.dataDir), access);
}
const { admin } = running.gms.context;
running.gms.context.on({ sealed: (uris) => say({ what: "sealed", count: uris.length }) });

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

async function follow(order: Order): Promise<number> {
  switch (order.op) {
    case "create": {
      const group = order.group ?? GROUP;
      const { rekeys } = await admin.createGroup(OPERATOR, {
        uri: group,
        members: newMembers(order.members, order.first),
      });
      return rekeys[0]!.id;
    }
    case "remove":
      return (await admin.removeMembers(OPERATOR, GROUP, order.uris)).rekeys[0]!.id;
    case "rekey":
      return (await admin.rekey(OPERATOR, order.group ?? GROUP)).id;
    case "sealed":
      for (; ; await pause()) {
        const rekeys = await admin.rekeys({ groupUri: order.group ?? GROUP, limit: 5 });
        if (rekeys.every(({ state, sealedAt }) => state !== "running" || sealedAt !== undefined)) return 0;
      }
    case "acknowledged":
      for (; ; await pause()) {
        const { counts } = await admin.rekeyStatus(order.rekey);
        if (counts.acknowledged >= order.count) return counts.acknowledged;
      }
    case "newest":
      return (await admin.rekeys({ groupUri: GROUP, limit: 1 }))[0]?.id ?? 0;
  }
}

say({ what: "listening", tcp: running.tcp, udp: running.udp });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order;
  try {
    say({ what: "done", value: await follow(order) });
  } catch (error) {
    say({ what: "failed", error: String(error) });
  }
}
await running.close();
await db.close();
