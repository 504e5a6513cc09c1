/**
 * `npm run bench:media`: packets a second that are protected and opened on one core, in Node.js beside node:crypto alone and
 * werift-rtp, in turns, and in Chromium; and how fast a server distributes to 200 legs. Options: --json, --packets N,
 * --rounds N, --out FILE.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { table } from "../cli/terminal/output.ts";
import { VERSION } from "../cli/terminal/version.ts";
import { benchSite, CHROMIUM, hasChromium, pageReport } from "./browser/launch.ts";
import { machine, runtime } from "./machine.ts";
import { type FanOut, measureFanOut } from "./media/fan-out.ts";
import { measureCrypto, measureWerift } from "./media/peers.ts";
import { type MediaRates, measureOurs, PAYLOAD_BYTES } from "./media/work.ts";

const LEGS = 200;
const FAN_OUT_SECONDS = 2;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    packets: { type: "string", default: "40000" },
    rounds: { type: "string", default: "7" },
    out: { type: "string" },
  },
});
const [packets, rounds] = [Number(values.packets), Number(values.rounds)];
const before = machine();

interface Row {
  readonly name: string;
  readonly rates: readonly MediaRates[];
}

async function inNode(): Promise<Row[]> {
  const ways: [string, (count: number) => MediaRates | Promise<MediaRates>][] = [
    ["ours, Node.js", measureOurs],
    ["node:crypto alone", measureCrypto],
    ["werift-rtp", measureWerift],
  ];
  const rows = ways.map(([name]) => ({ name, rates: [] as MediaRates[] }));
  // The first round is for the compiler.
  for (let round = -1; round < rounds; round++) {
    for (const [i, [, measure]] of ways.entries()) {
      const rates = await measure(packets);
      if (round >= 0) rows[i]!.rates.push(rates);
    }
  }
  return rows;
}

async function inChromium(): Promise<Row[]> {
  if (!hasChromium()) {
    process.stderr.write(`${CHROMIUM} is missing: no figures of a browser\n`);
    return [];
  }
  const site = await benchSite("bench/media/page.ts");
  try {
    const url = `${site.origin}/?packets=${packets / 4}&rounds=${rounds}`;
    const { report, version } = await pageReport<MediaRates[]>(url);
    return [{ name: `ours, Chromium ${version.split(".")[0]}`, rates: report }];
  } finally {
    await site.close();
  }
}

const median = (of: readonly number[]) => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)]!;

/** Median ratio of neighbouring rounds, in which the state of the machine was the same. */
function ratio(what: keyof MediaRates, ours: Row, peer: Row): number {
  return median(ours.rates.map((rates, i) => rates[what] / peer.rates[i]![what]));
}

function summary({ name, rates }: Row) {
  const of = (what: keyof MediaRates) => {
    const all = rates.map((r) => Math.round(r[what]));
    return { median: median(all), best: Math.max(...all) };
  };
  return { name, protect: of("protect"), unprotect: of("unprotect") };
}

function lines(rows: readonly Row[], fanOut: readonly FanOut[]): string[] {
  const [ours, ...peers] = rows;
  const versus = (row: Row, what: keyof MediaRates) =>
    peers.slice(0, 2).includes(row) ? ratio(what, ours!, row).toFixed(2) : "";
  return [
    ...table([
      ["packets a second", "protect", "best", "ours to it", "open", "best", "ours to it"],
      ...rows.map((row) => {
        const { name, protect, unprotect } = summary(row);
        return [
          name,
          String(protect.median),
          String(protect.best),
          versus(row, "protect"),
          String(unprotect.median),
          String(unprotect.best),
          versus(row, "unprotect"),
        ];
      }),
    ]),
    "",
    `distribution to ${LEGS} legs: ${fanOut.map(({ sent }) => Math.round(sent)).join(", ")} packets a second out`,
  ];
}

const rows = [...(await inNode()), ...(await inChromium())];
const fanOut: FanOut[] = [];
for (let round = 0; round < 3; round++) fanOut.push(await measureFanOut(LEGS, FAN_OUT_SECONDS));
const [ours, ...peers] = rows;
const report = {
  schema: 1,
  date: new Date().toISOString(),
  version: VERSION,
  machine: before,
  runtime: runtime(),
  payloadBytes: PAYLOAD_BYTES,
  rows: rows.map(summary),
  ratios: peers.slice(0, 2).map((peer) => ({
    to: peer.name,
    protect: ratio("protect", ours!, peer),
    unprotect: ratio("unprotect", ours!, peer),
  })),
  fanOut,
};
const json = `${JSON.stringify(report, null, 2)}\n`;
if (values.out !== undefined) writeFileSync(values.out, json);
process.stdout.write(values.json ? json : `${lines(rows, fanOut).join("\n")}\n`);
