/** Exports of the core as functions on octets: for values that the bindings keep inside, and for inputs they never give. */
import { concat } from "../../base/bytes.ts";
import type { Build, Core } from "../../bindings/core/core.ts";
import { type GeneratorTables, generatorTables } from "../../bindings/sakke/tables.ts";

export const BUILDS: readonly Build[] = ["fma", "simd"];

export interface Result {
  readonly octets: Uint8Array;
  readonly status: number;
}

function results(core: Core, n: number, size: number, out: number, status: number): Result[] {
  const flags = core.read(status, n);
  return Array.from(flags, (flag, i) => ({ octets: core.read(out + i * size, size), status: flag }));
}

/** KSAK + HS v mod the order of P-256, from 32 octets each. */
export function eccsiIssue(
  core: Core,
  ksak: Uint8Array,
  users: { hs: Uint8Array; v: Uint8Array }[],
): Result[] {
  const input = concat(...users.flatMap(({ hs, v }) => [hs, v]));
  const n = users.length;
  return core.borrow([32, input.length, n * 32, n], (master, operands, out, status) => {
    core.write(master, ksak);
    core.write(operands, input);
    core.wasm.eccsiIssue(n, master, operands, out, status);
    return results(core, n, 32, out, status);
  });
}

/** (HE + r SSK)^-1 j mod the order of P-256, from 32 octets each. */
export function eccsiSign(
  core: Core,
  ssk: Uint8Array,
  items: { he: Uint8Array; r: Uint8Array; j: Uint8Array }[],
): Result[] {
  const input = concat(...items.flatMap(({ he, r, j }) => [he, r, j]));
  const n = items.length;
  return core.borrow([32, input.length, n * 32, n], (key, operands, out, status) => {
    core.write(key, ssk);
    core.write(operands, input);
    core.wasm.eccsiSign(n, key, operands, out, status);
    return results(core, n, 32, out, status);
  });
}

/** Y = [HS]PVT + KPAK as 04 || x || y, from points of 65 octets. */
export function eccsiSignerPoint(core: Core, pvt: Uint8Array, kpak: Uint8Array, hs: Uint8Array): Result {
  const sizes = [64, 64, 64, 32, core.wasm.eccsiSignerPointScratch()];
  return core.borrow(sizes, (out, a, b, k, scratch) => {
    core.write(a, pvt.subarray(1));
    core.write(b, kpak.subarray(1));
    core.write(k, hs);
    const status = core.wasm.eccsiSignerPoint(out, a, b, k, scratch);
    return { octets: concat(Uint8Array.of(4), core.read(out, 64)), status };
  });
}

/** <A, B> of two points of 257 octets as its representative, 128 octets; `prepared` goes through stored lines of A. */
export function pairing(core: Core, a: Uint8Array, b: Uint8Array, prepared = false): Result {
  const { wasm } = core;
  const sizes = [128, 256, 256, 512, wasm.sakkeLinesBytes(), wasm.sakkeLinesScratch()];
  return core.borrow(sizes, (out, first, second, scratch, lines, preparation) => {
    core.write(first, a.subarray(1));
    core.write(second, b.subarray(1));
    if (!prepared) {
      const status = wasm.sakkePair(out, first, second, scratch);
      return { octets: core.read(out, 128), status };
    }
    const unfit = wasm.sakkeLines(lines, first, preparation);
    const status = unfit !== 0 ? unfit : wasm.sakkePairPrepared(out, lines, second, scratch);
    return { octets: core.read(out, 128), status };
  });
}

export interface Encapsulated {
  /** R = [r]([b]P + Z_T), 257 octets. */
  readonly point: Uint8Array;
  /** g^r, 128 octets. */
  readonly power: Uint8Array;
  readonly status: number;
}

/** R and g^r for operands of 128 octets: r before its reduction, and the identifier. `table`: that of Z_T. */
export function encapsulate(
  core: Core,
  table: number,
  operands: readonly { r: Uint8Array; id: Uint8Array }[],
): Encapsulated[] {
  const { points, powers }: GeneratorTables = generatorTables(core);
  const n = operands.length;
  const input = concat(...operands.flatMap(({ r, id }) => [r, id]));
  const sizes = [input.length, n * 384, n, core.wasm.sakkeEncapsulateScratch(points, table, n)];
  return core.borrow(sizes, (at, out, status, scratch) => {
    core.write(at, input);
    core.wasm.sakkeEncapsulate(points, table, powers, n, at, out, status, scratch);
    return results(core, n, 384, out, status).map(({ octets, status: flag }) => ({
      point: concat(Uint8Array.of(4), octets.subarray(0, 256)),
      power: octets.slice(256),
      status: flag,
    }));
  });
}

/** [k]P for 128 octets of k, reduced mod q, as 04 || x || y. */
export function multiplyGenerator(core: Core, k: Uint8Array): Result {
  const { points } = generatorTables(core);
  return core.borrow([256, 128, core.wasm.sakkePointScratch(points, 0)], (out, scalar, scratch) => {
    core.write(scalar, k);
    const status = core.wasm.sakkeMultiplyBase(out, points, scalar, scratch);
    return { octets: concat(Uint8Array.of(4), core.read(out, 256)), status };
  });
}

/** `value` in its last octets, zeros before. */
export function padded(value: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(value, length - value.length);
  return out;
}
