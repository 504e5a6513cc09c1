/** What members may read, from the store. */
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import type { MemberView } from "./documents.ts";

interface Asked {
  readonly member: string;
  resolve(view: MemberView): void;
  reject(error: unknown): void;
}

/** Members in one call. */
const MOST = 256;

/** Reads members' documents. Requests that arrive during a read share the next one. */
export class Views {
  readonly #store: GmsStore;
  #waiting: Asked[] = [];
  #running = false;

  constructor(store: GmsStore) {
    this.#store = store;
  }

  of(member: string): Promise<MemberView> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ member, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // What is asked for within one turn of the event loop goes together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST);
      try {
        const views = await this.load([...new Set(batch.map(({ member }) => member))]);
        for (const { member, resolve } of batch) resolve(views.get(member)!);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = false;
  }

  /** One for each. */
  async load(members: readonly string[]): Promise<Map<string, MemberView>> {
    // Groups first: messages of a group that one has left meanwhile are then not among the second.
    const groups = await this.#store.revisionsOf(members);
    const gktp = await this.#store.gktpOfAll(members);
    return new Map(
      members.map((member) => [member, { groups: groups.get(member)!, gktp: gktp.get(member)! }]),
    );
  }
}
