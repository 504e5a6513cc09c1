/** The documents that members may read, from the store. */
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import { Gatherer } from "../../server/gatherer.ts";
import type { MemberView } from "./documents.ts";

/** Members in one call. */
const MOST = 256;

/** Reads members' documents. Requests that arrive during a read share the next one. */
export class MemberViews {
  readonly #store: GmsStore;
  readonly #gatherer: Gatherer<string, MemberView>;

  constructor(store: GmsStore) {
    this.#store = store;
    this.#gatherer = new Gatherer(async (members) => {
      const views = await this.load([...new Set(members)]);
      return members.map((member) => views.get(member)!);
    }, MOST);
  }

  async of(member: string): Promise<MemberView> {
    const [view] = await this.#gatherer.add([member]);
    return view!;
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
