/** Refused SUBSCRIBEs in metrics, log and audit log. */
import { defined } from "../../../base/defined.ts";
import { RefusalBudget } from "../../server/refusal-budget.ts";
import { loggable } from "../common/errors.ts";
import type { GmsContext } from "../common/ports.ts";
import type { SubscribeRefusal } from "./subscribe-refusal.ts";

const MAX_ACTOR = 200;

export class RefusedSubscribes {
  readonly #context: GmsContext;
  readonly #budget: RefusalBudget;

  constructor(context: GmsContext) {
    this.#context = context;
    this.#budget = new RefusalBudget(context.config.limits);
  }

  /** `known`: a token vouches for the identity; otherwise it is only claimed. */
  note(identity: string, { code, message }: SubscribeRefusal, known: boolean): void {
    const { metrics, log } = this.#context;
    metrics.subscribed(code);
    log.debug({ identity: identity.slice(0, MAX_ACTOR), code, message }, "SUBSCRIBE refused");
    this.#write(identity, code, known, known ? undefined : { claimed: true });
  }

  /** The SUBSCRIBE was accepted, but entries of its list are not for the member, or not at all. */
  leftOut(identity: string, entries: number): void {
    this.#context.metrics.subscribed("ENTRIES_LEFT_OUT");
    this.#write(identity, "ENTRIES_LEFT_OUT", true, { entries });
  }

  #write(actor: string, code: string, known: boolean, detail: Record<string, unknown> | undefined): void {
    const { store, now, log } = this.#context;
    const at = now();
    // From of an unknown user may be anything, of any length.
    const name = actor.slice(0, MAX_ACTOR);
    const common = { at, actor: name, action: "subscribe", outcome: "refused", code } as const;
    const entry = { ...common, ...defined({ detail }) };
    if (!this.#budget.take(known ? actor : undefined, at, entry)) return;
    store.audit([entry]).catch((error: unknown) => {
      log.error({ actor: name, ...loggable(error) }, "a refusal was not written into the audit log");
    });
  }
}
