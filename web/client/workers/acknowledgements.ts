/** What the senders of short data are told who ask for it: that it has come, and that the user has seen it. */
import { SDS_DISPOSITION_REQUESTS, SDS_DISPOSITIONS } from "../../../bindings/mcdata/index.ts";
import type { ReceivedData } from "../../../roles/client/mcx/options.ts";

const { DELIVERY, READ } = SDS_DISPOSITION_REQUESTS;

export class Acknowledgements {
  readonly #notify: (received: ReceivedData, disposition: number) => void;
  /** Messages that nobody has seen yet, whose senders want to know. */
  #unread: ReceivedData[] = [];
  #shown: readonly string[] = [];

  constructor(notify: (received: ReceivedData, disposition: number) => void) {
    this.#notify = notify;
  }

  /** A message has come. */
  came(received: ReceivedData): void {
    const { dispositionRequest = 0 } = received;
    if (dispositionRequest & DELIVERY) this.#notify(received, SDS_DISPOSITIONS.DELIVERED);
    if (dispositionRequest & READ) this.#unread.push(received);
    this.shown(this.#shown);
  }

  /** The user sees the messages of these groups, also those that come. */
  shown(groups: readonly string[]): void {
    this.#shown = groups;
    this.#unread = this.#unread.filter((received) => {
      if (!groups.includes(received.groupUri)) return true;
      this.#notify(received, SDS_DISPOSITIONS.READ);
      return false;
    });
  }
}
