/** Twins that leak on purpose: the module of assembly/leaky.ts, alone and behind an operation of the package. */
import type { Core } from "../../bindings/core/core.ts";
import { systemRandom } from "../../bindings/index.ts";
import { generatorTables } from "../../bindings/sakke/tables.ts";
import { type Case, chooser, copies, type Pool, pool } from "./case.ts";
import { block, dense, POOL } from "./stage.ts";

interface Leaky {
  heapBase(): number;
  workspaceBytes(): number;
  setWorkspace(address: number): void;
  begin(): void;
  compareEarlyExit(a: number, b: number, length: number): number;
  powerSkipZeros(exponent: number): void;
  multiplyPerBit(octet: number): void;
}

const COMPARED = 256;

/** `binary` is that of assembly/leaky.ts for the build of `core`. */
export async function leakyCases(core: Core, binary: Uint8Array): Promise<Case[]> {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16384 });
  const module = await WebAssembly.compile(binary as BufferSource);
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const leaky = exports as unknown as Leaky;
  const workspace = (leaky.heapBase() + 63) & ~63;
  leaky.setWorkspace(workspace);
  leaky.begin();
  const free = workspace + leaky.workspaceBytes();
  const put = (at: number, octets: Uint8Array) =>
    new Uint8Array(memory.buffer, at, octets.length).set(octets);

  const expected = systemRandom(COMPARED);
  const [first, last] = [expected.slice(), expected.slice()];
  first[0]! ^= 1;
  last[COMPARED - 1]! ^= 1;
  put(free, expected);
  const compared: readonly [Pool<Uint8Array>, Pool<Uint8Array>] = [copies(POOL, first), copies(POOL, last)];
  const exponent = (octet: number) => new Uint8Array(8).fill(octet);

  const { wasm } = core;
  const { points } = generatorTables(core);
  const [out, scalar] = [block(core, COMPARED), block(core, 128)];
  const scratch = block(core, wasm.sakkePointScratch(points, 0));
  const scalars = pool(POOL, () => dense(128));
  let turn = 0;
  return [
    {
      kind: "leaky",
      name: "comparison that stops early",
      classes: ["first octet differs", "last octet differs"],
      set: chooser(compared, (octets) => put(free + COMPARED, octets)),
      run: () => void leaky.compareEarlyExit(free, free + COMPARED, COMPARED),
    },
    {
      kind: "leaky",
      name: "power that skips zero bits",
      classes: ["16 bits of 64 set", "48 bits of 64 set"],
      set: chooser([copies(POOL, exponent(0x11)), copies(POOL, exponent(0xee))], (octets) =>
        put(free, octets),
      ),
      run: () => leaky.powerSkipZeros(free),
    },
    {
      kind: "leaky",
      name: "[z]P and 32 products more",
      classes: ["without", "with"],
      set: chooser([copies(POOL, Uint8Array.of(0)), copies(POOL, Uint8Array.of(255))], (octets) => {
        put(free, octets);
        core.write(scalar, scalars[turn++ % POOL]!);
      }),
      run: () => {
        wasm.sakkeMultiplyBase(out, points, scalar, scratch);
        leaky.multiplyPerBit(free);
      },
    },
  ];
}
