/** MuSiK download (TS 33.180 5.8): the key of what the server sends to all by multicast, to each client that is bound. */

import type { RandomSource } from "../../../base/random.ts";
import {
  DeliveredKey,
  drawKeyId,
  KEY_BYTES,
  type KeyId,
  sealMessage,
  wipe,
} from "../../../bindings/index.ts";
import { MEDIA } from "../../../documents/group-xml/index.ts";
import type { BoundClient } from "./clients.ts";
import { type SignallingContext, tell } from "./context.ts";

const RAND_BYTES = 16;

/** One for the life of the process; a server that starts again draws another. */
export class Musik {
  readonly key: DeliveredKey;
  readonly #octets: Uint8Array;
  readonly #keyId: KeyId;
  readonly #rand: Uint8Array;

  constructor(random: RandomSource) {
    this.#octets = random(KEY_BYTES);
    this.#keyId = drawKeyId("MuSiK", random);
    this.#rand = random(RAND_BYTES);
    const facts = { kind: "MuSiK", keyId: this.#keyId, ukId: this.#keyId, rand: this.#rand } as const;
    this.key = new DeliveredKey(this.#octets.slice(), facts);
  }

  /** Signed by the server, encrypted to the user. Rejects when the client does not take it. */
  async download(context: SignallingContext, client: BoundClient): Promise<void> {
    const { keys, now, random } = context;
    const { initiator, domains } = keys();
    const { plan, messages } = await sealMessage(
      {
        kind: "MuSiK",
        key: this.#octets,
        keyId: this.#keyId,
        rand: this.#rand,
        members: [{ uri: client.user }],
      },
      { initiator, domains, random },
      now(),
    );
    wipe(plan.key);
    const { status } = await tell(context, client, [{ contentType: MEDIA.mikey, body: messages[0]!.octets }]);
    context.count(status < 300 ? "musik_downloaded" : "musik_refused");
  }

  destroy(): void {
    wipe(this.#octets);
    this.key.destroy();
  }
}
