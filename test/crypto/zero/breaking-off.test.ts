/** Linear memory is as it was also after a call that breaks off in the middle. */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { KmsMaster } from "../../../bindings/kms.ts";
import { MemoryWatch } from "../../support/memory.ts";
import { seededRandom } from "../../support/random.ts";
import { type Call, ID, LIST, MANY, type Place, publicPlace, SSV, signer } from "./calls.ts";

const random = seededRandom("breaking off");

type Step = "sakkePair";

/** The exports of the core that a call uses, but for those that only say sizes. */
function stepsOf(place: Place, call: Call): Step[] {
  const { wasm } = place.core;
  const isStep = (name: string): name is Step =>
    /^(sakke|eccsi)/.test(name) && !/(Bytes|Scratch)$/.test(name) && typeof wasm[name as Step] === "function";
  const spies = Object.keys(wasm)
    .filter(isStep)
    .map((name) => [name, vi.spyOn(wasm, name)] as const);
  call(place);
  const used = spies.filter(([, spy]) => spy.mock.calls.length > 0).map(([name]) => name);
  vi.restoreAllMocks();
  return used;
}

// One build is enough: the bindings, which are the same for both, decide what happens after an abort.
describe("an aborted call of the core", () => {
  let place: Place;
  let watch: MemoryWatch;

  beforeAll(async () => {
    place = await publicPlace("fma");
  });
  beforeEach(() => {
    watch = new MemoryWatch(place.core);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const secretCalls = LIST.filter(({ outcome, name }) => outcome === "none" && !/many|^verify/.test(name));

  it.each(secretCalls)("leaves nothing in memory at any of its steps: $name", ({ call }) => {
    const steps = stepsOf(place, call);
    expect(steps.length).toBeGreaterThan(0);
    for (const step of steps) {
      vi.spyOn(place.core.wasm, step).mockImplementation(() => {
        throw new Error("stopped");
      });
      expect(() => call(place)).toThrow("stopped");
      vi.restoreAllMocks();
      expect(watch.changes(), `stopped at ${step}`).toEqual([]);
    }
  });

  it.each(secretCalls)("leaves nothing in memory when memory runs out at any block: $name", ({ call }) => {
    const { arena } = place.core;
    const alloc = arena.alloc.bind(arena);
    for (let limit = 0, done = false; !done; limit++) {
      let count = 0;
      vi.spyOn(arena, "alloc").mockImplementation((bytes) => {
        if (count++ === limit) throw new Error("full");
        return alloc(bytes);
      });
      try {
        call(place);
        done = true;
      } catch (error) {
        expect((error as Error).message).toBe("full");
      }
      vi.restoreAllMocks();
      expect(watch.changes(), `full at block ${limit}`).toEqual([]);
    }
  });

  it("leaves nothing in the workspace", () => {
    const { core, kms } = place;
    // The workspace is the first block that the core allocates.
    const workspace = Math.ceil(core.wasm.heapBase() / 64) * 64;
    vi.spyOn(core.wasm, "sakkeEncapsulate").mockImplementation(() => {
      new Uint8Array(core.memory.buffer, workspace, core.wasm.workspaceBytes()).fill(0xaa);
      throw new WebAssembly.RuntimeError("unreachable");
    });
    expect(() => kms.encapsulate(ID, SSV)).toThrow("unreachable");
    expect(watch.changes()).toEqual([]);
  });

  it("leaves no secret in memory when the random source throws", () => {
    const signing = signer(place.verifier);
    let left = 40;
    const failing = (n: number) => {
      if (left-- === 0) throw new Error("no randomness");
      return random(n);
    };
    expect(() => signing.signBatch(MANY, failing)).toThrow("no randomness");
    expect(watch.changes()).toEqual([]);
    expect(() => KmsMaster.generate(place.core, failing)).not.toThrow();
    left = 1;
    expect(() => KmsMaster.generate(place.core, failing)).toThrow("no randomness");
    expect(watch.changes()).toEqual([]);
  });
});
