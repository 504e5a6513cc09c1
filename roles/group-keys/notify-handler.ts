/**
 * Handles what a NOTIFY of xcap-diff brings: keys inside it, news of documents, and what has to be fetched (5.7.2.x, RFC
 * 5875).
 */

import { MikeySakkeError } from "../../base/errors.ts";
import { SerialQueue } from "../../base/serial-queue.ts";
import type { XcapDiffDocument } from "../../documents/group-xml/index.ts";
import type { Answer, Notify } from "../../transport/sip/index.ts";
import { type DocumentUpdate, HeldDocuments, locate } from "./documents.ts";
import type { Tell } from "./events.ts";
import type { Inbox } from "./inbox.ts";
import { answerOf, answerOfError } from "./notify-answer.ts";
import { readNotify } from "./notify-content.ts";
import { OLDER_THAN_RING, type TakenMessage } from "./take-message.ts";

export interface NotifyHandlerOptions {
  readonly userUri: string;
  readonly inbox: Inbox;
  readonly tell: Tell;
  /** See `AnswerOptions`. */
  readonly proposedKmsUris: () => readonly string[] | undefined;
  /** Fetches documents over HTTP soon; undefined where there is no HTTP. */
  readonly fetchSoon: (() => void) | undefined;
  /** Makes the subscription anew. */
  readonly subscribeAnew: () => void;
}

interface Update {
  readonly sel: string;
  readonly version: DocumentUpdate["version"];
  /** Whether the GMS sends patches at all. */
  readonly isPatched: boolean;
}

export class NotifyHandler {
  readonly #options: NotifyHandlerOptions;
  readonly #documents = new HeldDocuments();
  readonly #queue = new SerialQueue();

  constructor(options: NotifyHandlerOptions) {
    this.#options = options;
  }

  /** One after the other, since patches build on each other. Does not reject. */
  handle(notify: Pick<Notify, "request" | "body">, isFirst: boolean): Promise<Answer> {
    return this.#queue.run(() => this.#handle(notify, isFirst).catch((error) => this.#failed(error)));
  }

  #failed(error: unknown): Answer {
    this.#options.tell({ type: "failed", error, retryAt: undefined });
    return answerOfError(error);
  }

  async #handle(notify: Pick<Notify, "request" | "body">, isFirst: boolean): Promise<Answer> {
    const { inbox, userUri, proposedKmsUris } = this.#options;
    const { diff, messages } = readNotify(notify);
    if (isFirst) this.#documents.clear();
    const taken = await inbox.takeAll(
      messages.map((octets) => ({ octets })),
      "sip",
    );
    const listed = new Set<string>();
    const updates: Update[] = [];
    for (const document of diff?.documents ?? []) {
      const located = locate(document.sel, userUri);
      if (located?.kind === "group") await this.#group(located.groupUri, document, listed);
      if (located?.kind === "gktp") updates.push(...(await this.#gktp(document, taken)));
    }
    const answer = answerOf(taken, { userUri, proposedKmsUris: proposedKmsUris() });
    for (const { sel, version } of updates) this.#documents.keep(sel, version, answer.status === 200);
    this.#follow(updates);
    // The document shows what holds, also when it was sent before this ring was made.
    if (taken.some((one) => one.outcome === "refused" && one.error.code === OLDER_THAN_RING)) {
      this.#options.fetchSoon?.();
    }
    if (isFirst && diff !== undefined) await this.#missing(listed, taken);
    return answer;
  }

  async #group(
    groupUri: string,
    { newEtag, previousEtag }: XcapDiffDocument,
    listed: Set<string>,
  ): Promise<void> {
    // RFC 5874 3.3: with the previous tag alone, the document is gone.
    if (newEtag === undefined && previousEtag !== undefined) return this.#options.inbox.gone(groupUri);
    listed.add(groupUri);
    await this.#options.inbox.present(groupUri);
  }

  async #gktp(document: XcapDiffDocument, taken: TakenMessage[]): Promise<Update[]> {
    const { sel, newEtag, previousEtag, patches } = document;
    if (newEtag === undefined && previousEtag !== undefined) {
      this.#documents.forget(sel);
      return [];
    }
    const { added, version } = this.#documents.updateOf(document);
    taken.push(...(await this.#options.inbox.takeAll(added, "sip")));
    return [{ sel, version, isPatched: patches !== undefined }];
  }

  /** Gets what the NOTIFY only tells of. */
  #follow(updates: readonly Update[]): void {
    const unknown = updates.filter(({ version }) => version === undefined);
    if (unknown.length === 0) return;
    const { fetchSoon, subscribeAnew, tell } = this.#options;
    if (fetchSoon !== undefined) fetchSoon();
    else if (unknown.some(({ isPatched }) => isPatched)) subscribeAnew();
    else {
      const text = "the GMS does not send keys in its NOTIFYs, and there is no HTTP to fetch them";
      tell({
        type: "failed",
        error: new MikeySakkeError("transport", "NO_WAY_TO_KEYS", text),
        retryAt: undefined,
      });
    }
  }

  /**
   * The first NOTIFY lists all documents that the user may read (RFC 5875 4.7). A group whose keys they hold, without a
   * document and without a message in a GKTP document, was left while they were away.
   */
  async #missing(listed: ReadonlySet<string>, taken: readonly TakenMessage[]): Promise<void> {
    const { inbox, fetchSoon } = this.#options;
    const carried = new Set(taken.flatMap((message) => ("key" in message ? message.key.groups : [])));
    const missing = inbox.keyedGroups.filter((uri) => !listed.has(uri) && !carried.has(uri));
    if (missing.length === 0) return;
    // The documents themselves are the better witness.
    if (fetchSoon !== undefined) fetchSoon();
    else for (const uri of missing) await inbox.gone(uri);
  }
}
