/** Light clients in a process of their own: an order a line on standard input, an answer a line on standard output. */
import { createInterface } from "node:readline";
import { HOST, makeIssuer } from "../../gms/foreign/running-gms.ts";
import { GMS_URI, memberUri, memberUris } from "../../gms/memory-gms.ts";
import type { ClientsJob, ClientsOrder, ClientsStats } from "../client-process.ts";
import { type Behaviour, LightClients } from "../light-clients.ts";

const job = JSON.parse(process.argv[2]!) as ClientsJob;
const issuer = await makeIssuer(job.issuerJwk);
const behaviours = new Map<string, Behaviour>([
  ...job.silent.map((i): [string, Behaviour] => [memberUri(i), "silent"]),
  ...job.refusing.map((i): [string, Behaviour] => [memberUri(i), "refuse"]),
]);
const clients = await LightClients.open({
  host: HOST,
  port: job.port,
  gmsUri: GMS_URI,
  identities: memberUris(job.count, job.first),
  token: (userUri) => issuer.token({ userUri, now: Date.now(), lifetime: 86_400 }),
  behaviour: (identity) => behaviours.get(identity) ?? "accept",
});
clients.armed = false;

for await (const line of createInterface({ input: process.stdin })) {
  const order = line as ClientsOrder;
  if (order === "subscribe") await clients.subscribe();
  if (order === "arm") clients.armed = true;
  const { subscribed, notifies, withMessage, accepted, refusals } = clients.stats;
  const stats: ClientsStats = { subscribed, notifies, withMessage, accepted, refusals: [...refusals] };
  process.stdout.write(`${JSON.stringify(stats)}\n`);
}
clients.close();
process.exit();
