/** The signalling of private calls that the user places. */
import { NO_ADDRESS } from "../../../documents/sdp/call.ts";
import type { Bindings } from "../../../roles/client/mcx/bindings.ts";
import type { McxClientOptions } from "../../../roles/client/mcx/options.ts";
import { joinUser } from "../../../roles/client/mcx/private-calling.ts";
import type { JoinedPrivateCall } from "../../../roles/client/mcx/private-calls.ts";
import type { FromKeys, KeysToMedia } from "../../client/messages.ts";
import { plainKey } from "../../client/workers/held-keys.ts";

export interface PrivateSignallingOptions {
  readonly mcx: McxClientOptions;
  readonly bindings: Bindings;
  readonly toMedia: (message: KeysToMedia) => void;
  readonly tell: (message: FromKeys) => void;
}

interface Wanted {
  readonly user: string;
  joined: JoinedPrivateCall | undefined;
}

export class PrivateSignalling {
  readonly #options: PrivateSignallingOptions;
  /** The call that is wanted; another one takes its place. */
  #wanted: Wanted | undefined;

  constructor(options: PrivateSignallingOptions) {
    this.#options = options;
  }

  async call(user: string): Promise<void> {
    const { mcx, bindings, toMedia, tell } = this.#options;
    this.hangUp();
    const wanted: Wanted = { user, joined: undefined };
    this.#wanted = wanted;
    tell({ type: "private-call", call: { user, state: "calling" } });
    try {
      const joined = await joinUser(mcx, bindings, user, {
        offer: { media: NO_ADDRESS, floor: NO_ADDRESS, webSocket: {} },
        onEnd: () => this.#over(wanted),
      });
      // The user did not wait for the answer.
      if (this.#wanted !== wanted) return void joined.hangUp().catch(() => undefined);
      wanted.joined = joined;
      const { answer, controlSsrc } = joined;
      const pck = plainKey(joined.pck);
      toMedia({ type: "open-private", user, pck, answer, controlSsrc });
      pck.key.fill(0);
      tell({ type: "private-call", call: { user, state: "joined" } });
    } catch (error) {
      if (this.#wanted !== wanted) return;
      this.#over(wanted);
      tell({
        type: "fault",
        text: `${user} was not reached: ${error instanceof Error ? error.message : error}`,
      });
    }
  }

  hangUp(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    void wanted.joined?.hangUp().catch(() => undefined);
    this.#over(wanted);
  }

  #over(call: Wanted): void {
    if (this.#wanted !== call) return;
    this.#wanted = undefined;
    this.#options.toMedia({ type: "close", group: call.user });
    this.#options.tell({ type: "private-call", call: undefined });
  }
}
