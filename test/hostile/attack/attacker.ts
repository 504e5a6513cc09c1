/** One attacker, a process of its own: takes its job as JSON in the first argument, tells its figures as JSON at the end. */
import { readFile } from "node:fs/promises";
import { type HostileInput, inputAt } from "../inputs/index.ts";
import { type Channel, loadStock, type Place, type StockFile } from "../stock.ts";
import type { AttackFigures, AttackJob } from "./job.ts";
import { Senders, Tally } from "./senders.ts";

const job = JSON.parse(process.argv[2]!) as AttackJob;
const stock = loadStock(JSON.parse(await readFile(job.stockFile, "utf8")) as StockFile);
const tally = new Tally();
const senders = new Senders({ sources: job.sources, tally });
await senders.open();

/** Inputs that are under way at a time. */
const BATCH = 48;
const DATAGRAMS: readonly Channel[] = [
  "gms-udp",
  "mcx-udp",
  "media",
  "floor",
  "client-sip",
  "client-media",
  "client-floor",
];
/** An attacker waits no longer for a server: the honest clients tell how slow it is. */
const ALIVE_MS = 10_000;
const SEND_MS = 5000;

async function send({ channel, place: number, octets, slowly }: HostileInput): Promise<void> {
  const places = stock.places[channel] ?? [];
  const place = places[number % places.length];
  if (place === undefined) return;
  const text = Buffer.from(octets).toString("latin1");
  if (text.startsWith("SUBSCRIBE ") && text.includes(`Bearer ${stock.tokens.outsider.gms}`))
    tally.asked.see(text);
  if (DATAGRAMS.includes(channel)) await senders.datagram(octets, place);
  else if (slowly !== undefined) await senders.hold(channel, octets, slowly, place);
  else await senders.stream(channel, octets, place);
}

const probe = (name: string) => (local: Place) =>
  new Uint8Array(
    Buffer.from(
      `OPTIONS sip:${name} SIP/2.0\r\nVia: SIP/2.0/UDP ${local.host}:${local.port};branch=z9hG4bK${Math.random()};rport\r\n` +
        `From: <sip:probe@example.org>;tag=1\r\nTo: <sip:${name}@example.org>\r\nCall-ID: ${Math.random()}\r\nCSeq: 1 OPTIONS\r\n` +
        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
    ),
  );

const kinds: Record<string, number> = {};
let [sent, unanswered] = [0, 0];
const until = performance.now() + job.milliseconds;
for (let index = job.first; index < job.end && performance.now() < until; index += job.step * BATCH) {
  const batch: HostileInput[] = [];
  for (let i = index; i < job.end && batch.length < BATCH; i += job.step)
    batch.push(inputAt(job.seed, i, stock));
  const timeout = new Promise((resolve) => setTimeout(resolve, SEND_MS).unref());
  await Promise.race([Promise.all(batch.map(send)), timeout]);
  for (const { kind } of batch) kinds[kind] = (kinds[kind] ?? 0) + 1;
  sent += batch.length;
  // An attack that only fills the receive buffers of the kernel tests the kernel.
  for (const name of ["gms", "mcx"] as const) {
    const place = stock.places[`${name}-udp`]![0]!;
    if (!(await senders.isAlive(place, probe(name), ALIVE_MS))) unanswered++;
  }
  process.stdout.write(`${JSON.stringify({ sent })}\n`);
}
await senders.close();
const subscribed = tally.asked.to("SUBSCRIBE");
const figures: AttackFigures = { sent, kinds, answers: tally.answers, unanswered, subscribed };
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
