/** A request that is being served, and the answer to it. */
import { TO, tagOf } from "../codec/addresses.ts";
import { readLine } from "../codec/field.ts";
import type { Headers } from "../codec/headers.ts";
import { createResponse, type SipRequest } from "../codec/message.ts";
import { CONTENT_TYPE } from "../codec/scalars.ts";
import type { Flow } from "../socket/ports.ts";
import type { ServerTransaction } from "../transaction/server.ts";

export interface Answer {
  readonly status: number;
  readonly reason?: string;
  /** Adds header fields. */
  readonly headers?: (headers: Headers) => void;
  readonly contentType?: string;
  readonly body?: Uint8Array;
  /** Called once the answer is on its way. */
  readonly sent?: () => void;
}

export class Incoming {
  readonly request: SipRequest;
  readonly flow: Flow;
  /** The tag that our responses have in To: that of the request, or a new one (8.2.6.2). */
  readonly localTag: string;
  readonly #transaction: ServerTransaction;

  constructor(transaction: ServerTransaction, newTag: () => string) {
    this.#transaction = transaction;
    this.request = transaction.request;
    this.flow = transaction.flow;
    this.localTag = tagOf(this.request.headers.need(TO)) ?? newTag();
  }

  get inDialog(): boolean {
    return this.request.headers.need(TO).params.has("tag");
  }

  /** The sender has proven who they are: their request, and what else comes on its connection, is no longer bound. */
  vouch(): void {
    this.#transaction.vouch();
  }

  answer(answer: Answer): void {
    const plain = createResponse(this.request, answer.status, answer.reason, this.localTag);
    const response = answer.body === undefined ? plain : { ...plain, body: answer.body };
    if (answer.contentType !== undefined) response.headers.set(CONTENT_TYPE, mediaType(answer.contentType));
    answer.headers?.(response.headers);
    this.#transaction.respond(response);
    answer.sent?.();
  }
}

export function mediaType(text: string) {
  return readLine(CONTENT_TYPE, text)[0]!;
}
