/** The members of the demo together, and waiting for all of them. */
import type { KeyId } from "../../bindings/index.ts";
import type { Work } from "./clock.ts";
import { DemoMember, type MemberWorld } from "./member.ts";
import { answered, until } from "./waiting.ts";

/** More at a time only wait for each other. */
const AT_ONCE = 8;
const LOOK_MS = 250;
const NAMES_SHOWN = 5;

export class Crowd {
  readonly members: readonly DemoMember[];
  readonly #listeners = new Set<() => void>();

  /** Every other one over SIP. */
  constructor(uris: readonly string[], world: Omit<MemberWorld, "changed">) {
    const changed = () => {
      for (const listener of this.#listeners) listener();
    };
    this.members = uris.map(
      (uri, i) => new DemoMember(uri, i % 2 === 0 ? "sip" : "http", { ...world, changed }),
    );
  }

  of(way: "sip" | "http"): DemoMember[] {
    return this.members.filter((member) => member.way === way);
  }

  /**
   * Does the step for each member, some at a time, and again for those whom a server did not answer in time. `step`
   * counts them.
   */
  async each(
    members: readonly DemoMember[],
    work: (member: DemoMember) => Promise<void>,
    step: Pick<Work, "update" | "lacks" | "signal">,
  ): Promise<void> {
    const left = [...members];
    let done = 0;
    const worker = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const member = next;
        await answered(() => work(member), step);
        step.update(++done);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** Until the rings of all these have the key in that state. */
  async until(members: readonly DemoMember[], gmkId: KeyId, state: string, step: Work): Promise<void> {
    const missing = () => members.filter((member) => member.stateOf(gmkId) !== state);
    step.lacks(() => {
      const left = missing();
      const names = left.slice(0, NAMES_SHOWN).map(({ uri, way }) => `${uri} (${way})`);
      return `no ${state} GMK: ${names.join(", ")}${left.length > NAMES_SHOWN ? ", …" : ""}`;
    });
    const isDone = () => {
      const left = missing().length;
      step.update(members.length - left);
      return left === 0;
    };
    await until(isDone, step, () => this.#change());
  }

  /** The ring of a member changes, or may have changed unheard when it is the last of a long silence. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#listeners.delete(done);
        resolve();
      };
      const timer = setTimeout(done, LOOK_MS);
      this.#listeners.add(done);
    });
  }

  async close(): Promise<void> {
    const left = [...this.members];
    const worker = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await next.close();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** After a failure. */
  async abandon(): Promise<void> {
    await Promise.all(this.members.map((member) => member.abandon()));
  }
}
