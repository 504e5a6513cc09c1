/**
 * `bench`: what the operations cost on this host. Everything shipped is timed; the BigInt reference that the
 * repository's `npm run bench` compares with is not shipped, so here the unit of comparison is one `a * b % m`.
 */
import { type Command, Option } from "commander";
import { type Build, load, systemRandom, toHex } from "../../bindings/index.ts";
import { ROW_TITLES, type RowName } from "../bench/row.ts";
import { packageRows } from "../bench/rows.ts";
import { rounded, sample, timing } from "../bench/sampling.ts";
import { World } from "../bench/world.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { table } from "../terminal/output.ts";

interface Options {
  build: Build | "auto";
  quick?: boolean;
}

/** Rounds over all rows, and ms a row and round. */
const NORMAL = { rounds: 8, budget: 60 };
const QUICK = { rounds: 2, budget: 5 };
/** Products of one chain, and octets of their operands. */
const PRODUCTS = 1000;
const BYTES = 128;

export function registerBench(parent: Command, runner: Runner): void {
  runner.define<[], Options>(
    parent,
    "bench",
    {
      summary: "measure the operations on this machine",
      description:
        "Time encapsulation, decapsulation, signatures, and whole messages on one core. Each round covers all operations, " +
        "so that noise affects them alike; shows the best and median samples. The last column counts in BigInt " +
        "multiplications a * b % m of 1024 bits, measured in the same run.",
      example: "mikey-sakke bench --quick",
    },
    (command) =>
      command
        .addOption(
          new Option("--build <build>", "WebAssembly build")
            .choices(["auto", "fma", "simd"])
            .default("auto" as const),
        )
        .option("--quick", "fewer samples"),
    bench,
  );
}

async function bench({ output }: Context, options: Options): Promise<ExitStatus> {
  const { rounds, budget } = options.quick === true ? QUICK : NORMAL;
  const core = await load({ build: options.build });
  const world = new World(core);
  const [message] = await world.seal([world.memberKeys.userUri]);
  const rows = packageRows(world, message!.octets);
  const plain = plainProducts();
  const samples = new Map<RowName, number[]>(rows.map(({ name }) => [name, []]));
  const products: number[] = [];
  const progress = output.progress("measure", rounds);
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const row of rows) samples.get(row.name)!.push(...(await sample(row, budget)));
      products.push(...(await sample({ name: "field.multiply", ...plain }, budget)));
      progress.update(round);
    }
  } finally {
    progress.end();
    world.destroy();
    core.destroy();
  }
  const unit = timing(products);
  const results = Array.from(samples, ([name, all]) => {
    const { best, median, samples: count } = timing(all);
    return { name, title: ROW_TITLES[name], best, median, count, products: best / unit.best };
  });
  output.result(
    {
      status: "ok",
      build: core.build,
      unit: "us",
      rows: results.map(({ name, best, median, count, products }) => ({
        name,
        best: rounded(best),
        median: rounded(median),
        samples: count,
        bigintProducts: rounded(products),
      })),
      bigintProduct: { best: rounded(unit.best), median: rounded(unit.median), samples: unit.samples },
    },
    () => [
      `WebAssembly build ${core.build}, one core; microseconds an operation.`,
      "",
      ...table([
        ["operation", "best", "median", "rate", "in a*b%m"],
        ...results.map(({ title, best, median, products }) => [
          title,
          best.toFixed(1),
          median.toFixed(1),
          `${Math.round(1e6 / best)}/s`,
          products.toFixed(0),
        ]),
        ["BigInt a*b%m, 1024 bits", unit.best.toFixed(2), unit.median.toFixed(2), "", "1"],
      ]),
    ],
  );
  return EXIT.accepted;
}

/**
 * JavaScript's own arithmetic as the unit of comparison: a chain of `a * b % m` with operands of 1024 bits, as long as p
 * of SAKKE parameter set 1.
 */
function plainProducts(): { operations: number; run: () => bigint } {
  const draw = () => BigInt(`0x${toHex(systemRandom(BYTES))}`) | (1n << BigInt(8 * BYTES - 1)) | 1n;
  const [a, b, m] = [draw(), draw(), draw()];
  return {
    operations: PRODUCTS,
    run: () => {
      let x = a;
      for (let i = 0; i < PRODUCTS; i++) x = (x * b) % m;
      return x;
    },
  };
}
