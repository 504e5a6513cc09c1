/** Finds the transaction that a message belongs to (RFC 3261 17.1.3, 17.2.3), or makes one. */

import type { Clock } from "../../../base/clock.ts";
import type { Admission } from "../../admission/admission.ts";
import { FROM, TO, tagOf, VIA } from "../codec/addresses.ts";
import { createResponse, type SipRequest, type SipResponse, writeMessage } from "../codec/message.ts";
import { CALL_ID, CSEQ } from "../codec/scalars.ts";
import type { Flow } from "../socket/ports.ts";
import { type ClientEvents, type ClientTransaction, NonInviteClient } from "./client.ts";
import { InviteClient } from "./invite-client.ts";
import { InviteServer } from "./invite-server.ts";
import { NonInviteServer, type Reply, type ServerTransaction } from "./server.ts";
import type { Timers } from "./timers.ts";

/** Begins every branch that is unique (8.1.1.7). The bare cookie is of no use (RFC 4475 3.2). */
export const MAGIC_COOKIE = "z9hG4bK";

/** Octets of memory of a request that is being checked: of its own, and for each octet of the message. */
const REQUEST_COST = 4096;
const MEMORY_FACTOR = 4;

export interface LayerParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** A new request, with the transaction to answer it by. */
  readonly request: (transaction: ServerTransaction) => void;
  /** The ACK of a 2xx, which is of no transaction and has no answer (13.2.2.4). */
  readonly acknowledged: (request: SipRequest, flow: Flow) => void;
  readonly replyTo: (request: SipRequest, flow: Flow) => Reply;
  readonly newTag: () => string;
  readonly admission?: Admission | undefined;
}

export class TransactionLayer {
  readonly #parts: LayerParts;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #clientsOn = new Map<Flow, Set<ClientTransaction>>();
  readonly #servers = new Map<string, ServerTransaction>();
  /** Requests without a To tag that are being served: the same one on another path is merged (8.2.2.2). */
  readonly #merging = new Map<string, string>();

  constructor(parts: LayerParts) {
    this.#parts = parts;
  }

  /** Sends a request that has its Via. */
  send(request: SipRequest, flow: Flow, events: ClientEvents): ClientTransaction {
    const key = clientKey(request.headers.need(VIA).params.get("branch"), request.method);
    const Kind = request.method === "INVITE" ? InviteClient : NonInviteClient;
    const { clock, timers } = this.#parts;
    const ended = () => {
      this.#clients.delete(key);
      this.#forgetOn(flow, transaction);
    };
    const transaction = new Kind({ request, flow, events, clock, timers, ended });
    this.#clients.set(key, transaction);
    const others = this.#clientsOn.get(flow) ?? new Set();
    this.#clientsOn.set(flow, others.add(transaction));
    transaction.start();
    return transaction;
  }

  #forgetOn(flow: Flow, transaction: ClientTransaction): void {
    const all = this.#clientsOn.get(flow);
    all?.delete(transaction);
    if (all?.size === 0) this.#clientsOn.delete(flow);
  }

  /** False when the response is of no transaction here. */
  receiveResponse(response: SipResponse): boolean {
    const branch = response.headers.need(VIA).params.get("branch");
    const transaction = this.#clients.get(clientKey(branch, response.headers.need(CSEQ).method));
    transaction?.receive(response);
    return transaction !== undefined;
  }

  /** `octets`: of the message that the request is. */
  receiveRequest(request: SipRequest, flow: Flow, octets: number): void {
    const key = serverKey(request, request.method);
    const known = this.#servers.get(key);
    if (known !== undefined) known.receive(request, octets);
    else if (request.method === "ACK") this.#parts.acknowledged(request, flow);
    else this.#begin(key, request, flow, octets);
  }

  #begin(key: string, request: SipRequest, flow: Flow, octets: number): void {
    const { clock, timers, replyTo, admission } = this.#parts;
    const reply = replyTo(request, flow);
    const isBound = admission !== undefined && flow.proven !== true;
    const charge = isBound ? admission.requests.take(REQUEST_COST + MEMORY_FACTOR * octets) : undefined;
    if (isBound && charge === undefined) {
      // A datagram is sent again by its sender; on a connection nothing is.
      if (flow.reliable) void reply(writeMessage(createResponse(request, 503))).catch(() => undefined);
      return;
    }
    const merge = mergeKey(request);
    const merged = merge !== undefined && this.#merging.has(merge);
    const ended = () => {
      this.#servers.delete(key);
      if (merge !== undefined && this.#merging.get(merge) === key) this.#merging.delete(merge);
    };
    const Kind = request.method === "INVITE" ? InviteServer : NonInviteServer;
    const nameOctets = 2 * (key.length + (merge?.length ?? 0));
    const transaction = new Kind({
      request,
      octets,
      nameOctets,
      flow,
      reply,
      charge,
      clock,
      timers,
      ended,
    });
    this.#servers.set(key, transaction);
    if (merged) {
      transaction.respond(createResponse(request, 482, undefined, this.#parts.newTag()));
      return;
    }
    if (merge !== undefined) this.#merging.set(merge, key);
    this.#parts.request(transaction);
  }

  /** 9.2: the INVITE that a CANCEL is about. */
  cancelled(cancel: SipRequest): InviteServer | undefined {
    const found = this.#servers.get(serverKey(cancel, "INVITE"));
    return found instanceof InviteServer ? found : undefined;
  }

  flowClosed(flow: Flow): void {
    for (const transaction of [...(this.#clientsOn.get(flow) ?? [])]) transaction.flowClosed();
  }

  /** Ends everything; requests that have no answer fail. */
  close(): void {
    for (const transaction of [...this.#clients.values()]) {
      transaction.flowClosed();
      transaction.end();
    }
    for (const transaction of [...this.#servers.values()]) transaction.end();
  }

  get size(): number {
    return this.#clients.size + this.#servers.size;
  }
}

function clientKey(branch: string | undefined, method: string): string {
  return `${branch} ${method}`;
}

/** 17.2.3: branch, sent-by and method, where an ACK counts as INVITE; without a branch, what RFC 2543 has. */
function serverKey({ uri, headers, method }: SipRequest, as: string): string {
  const via = headers.need(VIA);
  const branch = via.params.get("branch") ?? "";
  const kind = as === "ACK" || method === "ACK" ? "INVITE" : as;
  if (branch.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length) {
    return `${branch} ${via.host.toLowerCase()}:${via.port ?? ""} ${kind}`;
  }
  const from = tagOf(headers.need(FROM)) ?? "";
  const number = headers.need(CSEQ).number;
  return `${uri} ${from} ${headers.need(CALL_ID)} ${number} ${branch} ${via.host}:${via.port ?? ""} ${kind}`;
}

function mergeKey({ headers, method }: SipRequest): string | undefined {
  if (method === "CANCEL" || tagOf(headers.need(TO)) !== undefined) return undefined;
  return `${tagOf(headers.need(FROM))} ${headers.need(CALL_ID)} ${headers.need(CSEQ).number} ${method}`;
}
