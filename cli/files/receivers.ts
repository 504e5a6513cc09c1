/**
 * Receivers for the identities of a set of key files. Each identity is an end point of its own: it loads its
 * keys when its first message comes, and remembers messages apart from the others.
 */
import {
  type KeySet,
  type KmsDomain,
  MemoryReceiverState,
  type ParsedMessage,
  type Party,
  Receiver,
  toHex,
} from "../../bindings/index.ts";

interface EndPoint {
  readonly keySets: KeySet[];
  receiver?: Receiver;
}

export class Receivers {
  readonly #domains: readonly KmsDomain[];
  readonly #endPoints = new Map<string, EndPoint>();
  /** End points by URI, and by the UID of each of their key sets. */
  readonly #index = new Map<string, EndPoint>();
  readonly #states = new Map<string, MemoryReceiverState>();

  /** The domains stay the caller's; `keySets` must not be empty. */
  constructor(domains: readonly KmsDomain[], keySets: readonly KeySet[]) {
    this.#domains = domains;
    for (const keySet of keySets) {
      const endPoint = this.#endPoints.get(keySet.userUri) ?? { keySets: [] };
      endPoint.keySets.push(keySet);
      this.#endPoints.set(keySet.userUri, endPoint);
      this.#index.set(keySet.userUri, endPoint).set(toHex(keySet.uid), endPoint);
    }
  }

  /** The end point that a message is for; any one when it is for none, so that it refuses the message. */
  receiverFor({ responder, initiator, selfSed }: ParsedMessage): Receiver {
    const endPoint =
      this.#index.get(nameOf(responder)) ??
      (selfSed && this.#index.get(nameOf(initiator))) ??
      this.#endPoints.values().next().value!;
    endPoint.receiver ??= Receiver.load(this.#domains, endPoint.keySets);
    return endPoint.receiver;
  }

  /** State of the responder, even when another device of the initiator reads: the messages of a group share a K-ID. */
  stateFor({ responder }: ParsedMessage): MemoryReceiverState {
    const name = nameOf(responder);
    const state = this.#states.get(name) ?? new MemoryReceiverState();
    this.#states.set(name, state);
    return state;
  }

  destroy(): void {
    for (const { receiver } of this.#endPoints.values()) receiver?.destroy();
  }
}

function nameOf(party: Party): string {
  return party.hidden ? toHex(party.uid) : party.uri;
}
