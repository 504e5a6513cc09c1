/** Binds a client to its CSK (TS 33.180 5.4), and the identity that the IMS knows it by to its MC service ID (TS 24.379 7.3). */
import { toHex } from "../../../base/bytes.ts";
import { ntpFromUnixMs } from "../../../bindings/identity/ntp.ts";
import { DEFAULT_WINDOW_MS } from "../../../bindings/index.ts";
import {
  type Answer,
  CONTACT,
  EXPIRES,
  type Flow,
  nameAddress,
  SIP_ETAG,
} from "../../../transport/sip/index.ts";
import { BoundClient } from "./clients.ts";
import type { SignallingContext } from "./context.ts";
import type { UploadedCsk } from "./csk.ts";
import { bringKept } from "./data.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

const ETAG_BYTES = 8;

export interface BindingRequest {
  readonly flow: Flow;
  /** Seconds; 0: the binding ends. */
  readonly expires: number | undefined;
  /** The URI at which the client is reached: see `contactOf`. */
  readonly contact: string;
  /** The identities by which the IMS knows the client. */
  readonly asserted: readonly string[];
  readonly uploaded: UploadedCsk | undefined;
  /** The client that a request without a CSK is of. */
  readonly known: BoundClient | undefined;
}

export class Binder {
  readonly #context: SignallingContext;
  readonly #bound: (client: BoundClient) => void;
  #prunedAt: number;

  /** `bound` is told of a client that has come, or come anew. */
  constructor(context: SignallingContext, bound: (client: BoundClient) => void) {
    this.#context = context;
    this.#bound = bound;
    this.#prunedAt = context.now();
  }

  /** @throws {SignallingRefusal} CSK_MISSING, TOO_MANY */
  bind(request: BindingRequest): Answer {
    const { clients, clock, config, count } = this.#context;
    const { flow, contact, asserted, uploaded } = request;
    const known = uploaded === undefined ? request.known : clients.at(uploaded.user, contact);
    if (request.expires === 0) {
      uploaded?.csk.destroy();
      if (known !== undefined) clients.remove(known);
      return this.#granted(0, flow);
    }
    const expires = Math.min(request.expires ?? config.limits.maxExpires, config.limits.maxExpires);
    const expiresAt = clock.now() + expires * 1000;
    this.#prune();
    if (known !== undefined) {
      known.expiresAt = expiresAt;
      clients.place(known, flow, asserted);
      if (uploaded !== undefined) known.add(uploaded.csk);
    } else {
      if (uploaded === undefined) throw new SignallingRefusal("CSK_MISSING");
      if (clients.size >= config.limits.clients) {
        uploaded.csk.destroy();
        throw new SignallingRefusal("TOO_MANY", "clients");
      }
      const client = new BoundClient(uploaded.user, contact, flow, expiresAt);
      client.add(uploaded.csk);
      clients.enter(client);
      clients.place(client, flow, asserted);
      this.#bound(client);
    }
    count(uploaded === undefined ? "binding_refreshed" : "csk_uploaded");
    const user = (uploaded ?? known)?.user;
    if (user !== undefined) void this.#context.mailboxes.seen(user);
    return {
      ...this.#granted(expires, flow),
      // The client takes nothing before it has the answer.
      sent: () => void (user !== undefined && bringKept(this.#context, user)),
    };
  }

  #prune(): void {
    const { now, seen } = this.#context;
    if (now() - this.#prunedAt <= DEFAULT_WINDOW_MS) return;
    this.#prunedAt = now();
    // What is older than that is refused by its T.
    seen.prune(ntpFromUnixMs(this.#prunedAt - 2 * DEFAULT_WINDOW_MS));
  }

  /** With several processes also which one has the binding, as a redirect would name it. */
  #granted(expires: number, { transport }: Flow): Answer {
    const { random, cluster, endpoint } = this.#context;
    return {
      status: 200,
      headers(headers) {
        headers.set(EXPIRES, expires).set(SIP_ETAG, toHex(random(ETAG_BYTES)));
        if (cluster !== undefined) headers.set(CONTACT, nameAddress(endpoint.contact(transport)));
      },
    };
  }
}
