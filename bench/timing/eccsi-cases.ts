/** ECCSI: the SSK and the ephemeral of a signer, what a signature inverts, KSAK and v of a KMS. */
import { equal } from "../../base/bytes.ts";
import type { Core } from "../../bindings/core/core.ts";
import { generatorTable } from "../../bindings/eccsi/tables.ts";
import { systemRandom } from "../../bindings/index.ts";
import { type Case, chooser, copies, type Pool, pool } from "./case.ts";
import { block, dense, denses, fulls, POOL, small, sparses } from "./stage.ts";

const SCALAR = 32;
/** As long as R of SAKKE, which is compared as octets. */
const COMPARED = 256;

export function eccsiCases(core: Core): Case[] {
  return [...signerCases(core), ...issuerCases(core), ...comparisonCases()];
}

function signerCases(core: Core): Case[] {
  const { wasm } = core;
  const n = wasm.laneCount();
  const [ssk, input] = [block(core, SCALAR), block(core, 3 * SCALAR)];
  const [s, status] = [block(core, SCALAR), block(core, n)];
  const table = generatorTable(core);
  const [scalars, points] = [block(core, n * SCALAR), block(core, n * 2 * SCALAR)];
  const scratch = block(core, wasm.eccsiMultiplyBaseScratch(table, n));
  const [he, r, j] = [input, input + SCALAR, input + 2 * SCALAR];
  const fixed = dense(3 * SCALAR);
  const sign = (
    kind: Case["kind"],
    name: string,
    names: Case["classes"],
    pools: readonly [Pool<Uint8Array>, Pool<Uint8Array>],
    place: (octets: Uint8Array) => void,
  ): Case => ({
    kind,
    name,
    classes: names,
    set: chooser(pools, (octets) => {
      core.write(input, fixed);
      place(octets);
    }),
    run: () => wasm.eccsiSign(1, ssk, input, s, status),
  });
  const toSsk = (octets: Uint8Array) => core.write(ssk, octets);
  const bits: Case["classes"] = ["four bits set", "all but four set"];
  return [
    sign("control", "sign: SSK drawn alike", ["random", "random"], [denses(SCALAR), denses(SCALAR)], toSsk),
    sign("shipped", "sign: SSK", bits, [sparses(SCALAR), fulls(SCALAR)], toSsk),
    sign("shipped", "sign: SSK", ["fixed", "random"], [copies(POOL, dense(SCALAR)), denses(SCALAR)], toSsk),
    sign("shipped", "sign: j", bits, [sparses(SCALAR), fulls(SCALAR)], (octets) => core.write(j, octets)),
    sign(
      "shipped",
      "sign: HE + r SSK, to be inverted",
      ["small", "random"],
      [pool(POOL, (i) => small(SCALAR, i + 1)), denses(SCALAR)],
      (octets) => {
        core.write(ssk, small(SCALAR, 1));
        core.write(r, new Uint8Array(SCALAR));
        core.write(he, octets);
      },
    ),
    {
      kind: "shipped",
      name: "sign: [j]G",
      classes: bits,
      set: chooser([sparses(SCALAR), fulls(SCALAR)], (octets) => {
        for (let i = 0; i < n; i++) core.write(scalars + i * SCALAR, octets);
      }),
      run: () => wasm.eccsiMultiplyBase(table, n, scalars, points, status, scratch),
    },
  ];
}

function issuerCases(core: Core): Case[] {
  const { wasm } = core;
  const [ksak, input] = [block(core, SCALAR), block(core, 2 * SCALAR)];
  const [output, status] = [block(core, SCALAR), block(core, 1)];
  core.write(input, dense(2 * SCALAR));
  return [
    {
      kind: "shipped",
      name: "issue an SSK: KSAK",
      classes: ["four bits set", "all but four set"],
      set: chooser([sparses(SCALAR), fulls(SCALAR)], (octets) => core.write(ksak, octets)),
      run: () => wasm.eccsiIssue(1, ksak, input, output, status),
    },
  ];
}

/** The final comparison of decapsulation, in JavaScript. */
function comparisonCases(): Case[] {
  const expected = systemRandom(COMPARED);
  const other = (at: number) => {
    const octets = expected.slice();
    octets[at]! ^= 1;
    return octets;
  };
  const given = new Uint8Array(COMPARED);
  const compare = (names: Case["classes"], pools: readonly [Pool<Uint8Array>, Pool<Uint8Array>]): Case => ({
    kind: "shipped",
    name: "comparison of R",
    classes: names,
    set: chooser(pools, (octets) => given.set(octets)),
    run: () => void equal(given, expected),
  });
  const same = copies(POOL, expected);
  const [first, last] = [copies(POOL, other(0)), copies(POOL, other(COMPARED - 1))];
  return [
    compare(["equal", "first octet differs"], [same, first]),
    compare(["first octet differs", "last octet differs"], [first, last]),
  ];
}
