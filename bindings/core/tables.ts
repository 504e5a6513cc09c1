/**
 * Tables of public values in a core's memory, by name: made once, counted by their users, freed after the last one.
 * On a shared memory the workers of a pool read the tables of the core that made them.
 */

import { MikeySakkeError } from "../../base/errors.ts";
import type { Arena } from "./arena.ts";

interface Table {
  readonly at: number;
  /** Octets; 0 for a table that another core made and frees. */
  readonly bytes: number;
  users: number;
}

export class TableStore {
  readonly #arena: Arena;
  readonly #keep: number;
  readonly #tables = new Map<string, Table>();

  /** `keep` own tables without users stay, the ones used last: for workers that make their tables themselves. */
  constructor(arena: Arena, keep = 0) {
    this.#arena = arena;
    this.#keep = keep;
  }

  /** Octets of the tables that this core made. */
  get bytes(): number {
    let sum = 0;
    for (const { bytes } of this.#tables.values()) sum += bytes;
    return sum;
  }

  /**
   * Address of the table `name` for one more user. If there is none yet, `build` checks what it is made from and fills
   * it; undefined when it returns false.
   */
  acquire(name: string, bytes: number, build: (at: number) => boolean): number | undefined {
    if (this.#tables.has(name)) return this.retain(name);
    const at = this.#arena.alloc(bytes);
    let built = false;
    try {
      built = build(at);
    } finally {
      if (!built) this.#arena.release(at);
    }
    if (!built) return undefined;
    this.#tables.set(name, { at, bytes, users: 1 });
    return at;
  }

  /** Address of a table that is there, for one more user. */
  retain(name: string): number {
    const table = this.#find(name);
    table.users++;
    return table.at;
  }

  /** Takes in a table of another core on the same memory, for one user. */
  adopt(name: string, at: number): void {
    const table = this.#tables.get(name);
    if (table !== undefined) table.users++;
    else this.#tables.set(name, { at, bytes: 0, users: 1 });
  }

  /** One user less. */
  release(name: string): void {
    const table = this.#find(name);
    if (--table.users > 0) return;
    this.#tables.delete(name);
    if (table.bytes === 0) return;
    // Back at the end: the order is that of the last use.
    this.#tables.set(name, table);
    const unused = [...this.#tables].filter(([, { users }]) => users === 0);
    for (const [oldest, { at }] of unused.slice(0, Math.max(0, unused.length - this.#keep))) {
      this.#tables.delete(oldest);
      this.#arena.release(at);
    }
  }

  #find(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw new MikeySakkeError("usage", "DESTROYED", `no table ${name}`);
    return table;
  }
}
