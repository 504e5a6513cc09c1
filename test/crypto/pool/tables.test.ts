/** Tables of public values, which keys share on one core, and workers on one memory. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Arena } from "../../../bindings/core/arena.ts";
import { attach, type Core, load } from "../../../bindings/core/core.ts";
import { TableStore } from "../../../bindings/core/tables.ts";
import { KmsDomain } from "../../../bindings/identity/kms-domain.ts";
import { HOME_KMS, makeKms } from "../../support/world.ts";

const PAGE = 65536;
const memory = () => new WebAssembly.Memory({ initial: 1, maximum: 4 });

describe("a table store", () => {
  const make = (keep?: number) => {
    const arena = new Arena(memory(), 0);
    const tables = new TableStore(arena, keep);
    const acquire = (name: string, built = true) => tables.acquire(name, 100, () => built);
    return { arena, tables, acquire };
  };

  it("makes a table once and frees it after its last user", () => {
    const { arena, tables, acquire } = make();
    const at = acquire("a");
    expect(tables.acquire("a", 100, () => expect.unreachable())).toBe(at);
    expect(tables.bytes).toBe(100);
    tables.release("a");
    expect(tables.retain("a")).toBe(at);
    tables.release("a");
    tables.release("a");
    expect(tables.bytes).toBe(0);
    expect(arena.usedBytes).toBe(0);
    expect(() => tables.retain("a")).toThrow("no table a");
  });

  it("keeps nothing of a table that could not be made", () => {
    const { arena, tables, acquire } = make();
    expect(acquire("a", false)).toBeUndefined();
    const broken = () => {
      throw new Error("broken");
    };
    expect(() => tables.acquire("b", 100, broken)).toThrow("broken");
    expect(arena.usedBytes).toBe(0);
    expect(acquire("a")).toBeDefined();
  });

  it("uses the tables of others as long as they are in use, and does not free them", () => {
    const { arena, tables } = make();
    tables.adopt("a", 4711);
    tables.adopt("a", 4711);
    expect(tables.acquire("a", 100, () => expect.unreachable())).toBe(4711);
    expect(tables.bytes).toBe(0);
    for (let user = 0; user < 3; user++) tables.release("a");
    expect(() => tables.retain("a")).toThrow("no table a");
    expect(arena.usedBytes).toBe(0);
  });

  it("keeps the tables used last, where configured", () => {
    const { tables, acquire } = make(2);
    for (const name of ["a", "b", "c"]) acquire(name);
    for (const name of ["b", "c", "a"]) tables.release(name);
    expect(tables.bytes).toBe(200);
    expect(() => tables.retain("b")).toThrow("no table b");
    tables.retain("c");
    acquire("d");
    tables.release("d");
    tables.release("c");
    expect(() => tables.retain("a")).toThrow("no table a");
  });
});

describe("a memory arena with a limit", () => {
  it("stays within it, though the memory is larger", () => {
    const arena = new Arena(memory(), 1024, 4096);
    const block = arena.alloc(3072);
    expect(block).toBe(1024);
    expect(() => arena.alloc(1)).toThrow(expect.objectContaining({ kind: "crypto", code: "OUT_OF_MEMORY" }));
    arena.release(block);
    expect(arena.alloc(64)).toBe(1024);
  });
});

describe("keys of one KMS", () => {
  let core: Core;
  beforeAll(async () => {
    core = await load();
  });
  afterAll(() => core.destroy());

  it("share their tables until the last is destroyed, and are unusable then", () => {
    const { certificate, domain } = makeKms(core, HOME_KMS);
    const used = core.usedBytes;
    const second = KmsDomain.load(core, certificate);
    expect(core.usedBytes).toBe(used);
    domain.destroy();
    domain.destroy();
    expect(core.usedBytes).toBe(used);
    expect(second.encryption.encapsulate(new Uint8Array(32), new Uint8Array(16))).toHaveLength(273);
    second.destroy();
    expect(core.usedBytes).toBeLessThan(used);
    const destroyed = expect.objectContaining({ kind: "usage", code: "DESTROYED" });
    expect(() => second.encryption.encapsulate(new Uint8Array(32), new Uint8Array(16))).toThrow(destroyed);
    const verify = () => second.authentication.verify(new Uint8Array(32), new Uint8Array(1), signature);
    const signature = new Uint8Array(129).fill(4);
    expect(verify).toThrow(destroyed);
  });
});

describe("instances on one memory", () => {
  it("write only in their regions, and clear them", async () => {
    const core = await load({ shared: true });
    expect(core.shared).toBe(true);
    const bytes = 2 * PAGE;
    const region = { at: core.arena.alloc(bytes), bytes };
    const all = () => new Uint8Array(core.memory.buffer);
    const before = all().slice();
    const other = await attach(core.module, { memory: core.memory, region });
    expect(other.ownBytes).toBe(bytes);
    const block = other.arena.alloc(100);
    other.write(block, new Uint8Array(100).fill(0xff));
    expect(block).toBeGreaterThanOrEqual(region.at);
    expect(all()[block]).toBe(0xff);
    other.destroy();
    expect(Buffer.compare(all(), before)).toBe(0);
    core.destroy();
  });

  it("are refused where memory is not shared", async () => {
    const isolated = Object.getOwnPropertyDescriptor(globalThis, "crossOriginIsolated");
    Object.defineProperty(globalThis, "crossOriginIsolated", { value: false, configurable: true });
    try {
      const core = await load({ shared: true });
      expect(core.shared).toBe(false);
      core.destroy();
    } finally {
      if (isolated === undefined) Reflect.deleteProperty(globalThis, "crossOriginIsolated");
      else Object.defineProperty(globalThis, "crossOriginIsolated", isolated);
    }
  });
});
