/** SAKKE: r of a sender, the RSK of a receiver, the master secret of a KMS, the outcome of the check of R. */
import { equal } from "../../base/bytes.ts";
import { systemRandom } from "../../bindings/index.ts";
import { RangeHash } from "../../bindings/sakke/range-hash.ts";
import { acquireCheckLines, generatorTables } from "../../bindings/sakke/tables.ts";
import type { World } from "../../cli/bench/world.ts";
import { type Case, chooser, copies, type Pool, pool } from "./case.ts";
import { block, dense, denses, fill, fulls, POOL, small, sparses } from "./stage.ts";

const [SCALAR, POINT] = [128, 256];
/** As for the keys of receivers. */
const WINDOW = 5;

type Classes = readonly [Pool<Uint8Array>, Pool<Uint8Array>];

export function sakkeCases(world: World): Case[] {
  return [...senderCases(world), ...receiverCases(world), checkCase(world), ...issuerCases(world)];
}

/** A batch of as many receivers as there are lanes, all with the same r. b = 1, so that r b is as sparse as r. */
function senderCases({ core, domain }: World): Case[] {
  const { wasm } = core;
  const { points, powers } = generatorTables(core);
  const n = wasm.laneCount();
  const tableZ = domain.encryption.table;
  const input = block(core, n * 2 * SCALAR);
  const [output, status] = [block(core, n * 3 * SCALAR), block(core, n)];
  const scratch = block(core, wasm.sakkeEncapsulateScratch(points, tableZ, n));
  const encapsulate = (kind: Case["kind"], name: string, names: Case["classes"], pools: Classes): Case => ({
    kind,
    name,
    classes: names,
    set: chooser(pools, (r) => {
      fill(core, input, n, 2 * SCALAR, r);
      fill(core, input + SCALAR, n, 2 * SCALAR, small(SCALAR, 1));
    }),
    run: () => wasm.sakkeEncapsulate(points, tableZ, powers, n, input, output, status, scratch),
  });
  const random = denses(SCALAR);
  const fixed = copies(POOL, dense(SCALAR));
  return [
    encapsulate("control", "encapsulate: r drawn alike", ["random", "random"], [denses(SCALAR), random]),
    encapsulate("shipped", "encapsulate: r", ["fixed", "random"], [fixed, random]),
    encapsulate(
      "shipped",
      "encapsulate: r",
      ["four bits set", "all but four set"],
      [sparses(SCALAR), fulls(SCALAR)],
    ),
  ];
}

function receiverCases(world: World): Case[] {
  const { core, sed } = world;
  const { wasm } = core;
  const rsks = world.kms.issue(world.freshUris(POOL)).map(({ rsk }) => rsk.slice(1));
  const fixed = rsks[0]!;
  const keys: Classes = [copies(POOL, fixed), rsks];
  const [point, rsk, w] = [block(core, POINT), block(core, POINT), block(core, SCALAR)];
  const pairScratch = block(core, 2 * POINT);
  const [lines, linesScratch] = [block(core, wasm.sakkeLinesBytes()), block(core, wasm.sakkeLinesScratch())];
  core.write(point, sed.subarray(1, 1 + POINT));
  const stored = (octets: Uint8Array) => {
    core.write(rsk, octets);
    wasm.sakkeLines(lines, rsk, linesScratch);
    return core.read(lines, wasm.sakkeLinesBytes());
  };
  // Half a megabyte each: few, and copied to one place, or the cache would tell the classes apart.
  const few = 8;
  const storedLines: Classes = [copies(few, stored(fixed)), rsks.slice(0, few).map(stored)];

  const table = block(core, wasm.sakkeTableBytes(WINDOW));
  wasm.sakkeTable(table, WINDOW, point, block(core, wasm.sakkeTableScratch(WINDOW)));
  const operands = block(core, 2 * SCALAR);
  const { powers } = generatorTables(core);
  const powerScratch = block(core, wasm.sakkePowerScratch());
  const checked = acquireCheckLines(core, world.domain.certificate.pubEncKey.subarray(1));
  const identifier = block(core, SCALAR);
  core.write(identifier, dense(SCALAR));
  const [out, pointScratch] = [block(core, POINT), block(core, wasm.sakkePointScratch(table, 0))];
  core.write(operands + SCALAR, small(SCALAR, 1));
  return [
    {
      kind: "shipped",
      name: "decapsulate, not prepared: RSK",
      classes: ["fixed", "random"],
      set: chooser(keys, (key) => core.write(rsk, key)),
      run: () => void wasm.sakkePair(w, rsk, point, pairScratch),
    },
    {
      kind: "shipped",
      name: "decapsulate, prepared: RSK",
      classes: ["fixed", "random"],
      set: chooser(storedLines, (octets) => core.write(lines, octets)),
      run: () => void wasm.sakkePairPrepared(w, lines, point, pairScratch),
    },
    {
      kind: "shipped",
      name: "prepare a key: RSK",
      classes: ["fixed", "random"],
      set: chooser(keys, (key) => core.write(rsk, key)),
      run: () => void wasm.sakkeLines(lines, rsk, linesScratch),
    },
    {
      kind: "shipped",
      name: "check of an RSK: RSK",
      classes: ["fixed", "random"],
      set: chooser(keys, (key) => core.write(rsk, key)),
      run: () => void wasm.sakkeCheckKey(checked.generator, checked.kms, identifier, rsk, pairScratch),
    },
    {
      kind: "shipped",
      name: "check of R, not prepared: r of g^r",
      classes: ["four bits set", "all but four set"],
      set: chooser([sparses(SCALAR), fulls(SCALAR)], (r) => core.write(operands, r)),
      run: () => void wasm.sakkePower(w, powers, operands, powerScratch),
    },
    {
      kind: "shipped",
      name: "check of R, prepared: r",
      classes: ["four bits set", "all but four set"],
      set: chooser([sparses(SCALAR), fulls(SCALAR)], (r) => core.write(operands, r)),
      run: () => void wasm.sakkePoint(out, 0, 0, table, operands, pointScratch),
    },
  ];
}

/** All of a decapsulation up to the final comparison and with it, for a hint that fits R and for one that does not. */
function checkCase(world: World): Case {
  const { core, domain, memberKeys, sed } = world;
  const { wasm } = core;
  const hash = new RangeHash();
  const [lines, rsk] = [block(core, wasm.sakkeLinesBytes()), block(core, POINT)];
  core.write(rsk, memberKeys.rsk.subarray(1));
  wasm.sakkeLines(lines, rsk, block(core, wasm.sakkeLinesScratch()));
  const table = block(core, wasm.sakkeTableBytes(WINDOW));
  const own = block(core, POINT);
  core.write(own, domain.encryption.identityPoint(memberKeys.uid)!);
  wasm.sakkeTable(table, WINDOW, own, block(core, wasm.sakkeTableScratch(WINDOW)));
  const r = sed.slice(1, 1 + POINT);
  const [point, w, scratch] = [block(core, POINT), block(core, SCALAR), block(core, 2 * POINT)];
  const [operands, out] = [block(core, 2 * SCALAR), block(core, POINT)];
  const pointScratch = block(core, wasm.sakkePointScratch(table, 0));
  core.write(point, r);
  core.write(operands + 2 * SCALAR - memberKeys.uid.length, memberKeys.uid);
  const hint = sed.slice(1 + POINT);
  const given = new Uint8Array(hint.length);
  const message = new Uint8Array(hint.length + memberKeys.uid.length);
  message.set(memberKeys.uid, hint.length);
  return {
    kind: "shipped",
    name: "decapsulate, prepared: check of R",
    classes: ["passes", "fails"],
    set: chooser([copies(POOL, hint), pool(POOL, () => systemRandom(hint.length))], (octets) =>
      given.set(octets),
    ),
    run: () => {
      wasm.sakkePairPrepared(w, lines, point, scratch);
      const mask = hash.mask(core.read(w, SCALAR));
      for (let k = 0; k < given.length; k++) message[k] = given[k]! ^ mask[k]!;
      core.write(operands, hash.scalar(message));
      wasm.sakkePoint(out, 0, 0, table, operands, pointScratch);
      equal(core.read(out, POINT), r);
    },
  };
}

function issuerCases({ core }: World): Case[] {
  const { wasm } = core;
  const { points } = generatorTables(core);
  const n = wasm.laneCount();
  const [ids, z, output] = [block(core, n * SCALAR), block(core, SCALAR), block(core, n * POINT)];
  const [status, scratch] = [block(core, n), block(core, wasm.sakkeIssueScratch(points, n))];
  const pointScratch = block(core, wasm.sakkePointScratch(points, 0));
  return [
    {
      kind: "shipped",
      name: "issue an RSK: a + z, to be inverted",
      classes: ["small", "random"],
      set: chooser([pool(POOL, (i) => small(SCALAR, i + 2)), denses(SCALAR)], (master) => {
        core.write(z, master);
        fill(core, ids, n, SCALAR, small(SCALAR, 1));
      }),
      run: () => wasm.sakkeIssue(points, n, ids, z, output, status, scratch),
    },
    {
      kind: "shipped",
      name: "Z_T = [z]P: z",
      classes: ["four bits set", "all but four set"],
      set: chooser([sparses(SCALAR), fulls(SCALAR)], (master) => core.write(z, master)),
      run: () => void wasm.sakkeMultiplyBase(output, points, z, pointScratch),
    },
  ];
}
