/** The members of the demo together, and waiting for all of them. */
import { MikeySakkeError } from "../../bindings/errors.ts";
import type { KeyId } from "../../bindings/index.ts";
import { DemoMember, type MemberWorld } from "./member.ts";

/** More at a time only wait for each other. */
const AT_ONCE = 8;
/** What is not there by then will not come. */
const PATIENCE_MS = 120_000;
/** The ring of a member changes unheard when it is the last of a long silence. */
const LOOK_MS = 250;
const NAMES_SHOWN = 5;

export class Crowd {
  readonly members: readonly DemoMember[];
  readonly #listeners = new Set<() => void>();
  #closing: Promise<void> | undefined;

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

  /** Does it with each, some at a time. */
  async each(
    members: readonly DemoMember[],
    work: (member: DemoMember) => Promise<void>,
    update: (done: number) => void = () => undefined,
  ): Promise<void> {
    const left = [...members];
    let done = 0;
    const worker = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        await work(next);
        update(++done);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /**
   * Until the rings of all these have the key in that state.
   *
   * @throws {MikeySakkeError} transport `DEMO_INCOMPLETE` that names who has not
   */
  async until(
    members: readonly DemoMember[],
    gmkId: KeyId,
    state: string,
    update: (done: number) => void,
  ): Promise<void> {
    const missing = () => members.filter((member) => member.stateOf(gmkId) !== state);
    const started = performance.now();
    for (let left = missing(); left.length > 0; left = missing()) {
      update(members.length - left.length);
      if (performance.now() - started > PATIENCE_MS) {
        const names = left.slice(0, NAMES_SHOWN).map(({ uri, way }) => `${uri} (${way})`);
        const text = `${left.length} members have no ${state} GMK: ${names.join(", ")}${left.length > NAMES_SHOWN ? ", …" : ""}`;
        throw new MikeySakkeError("transport", "DEMO_INCOMPLETE", text);
      }
      await this.#change();
    }
    update(members.length);
  }

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

  close(): Promise<void> {
    this.#closing ??= this.each(this.members, (member) => member.close());
    return this.#closing;
  }
}
