/** The binding of a client at its server: a PUBLISH with a CSK, renewed in time (TS 24.379 7.2.1). */
import { type Clock, orLate } from "../../../base/clock.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { utf8 } from "../../../bindings/index.ts";
import {
  MEDIA,
  writeMcpttInfo,
  writeMultipart,
  writePocSettings,
} from "../../../documents/group-xml/index.ts";
import { PeerXmlKeys, sealSignalling } from "../../../documents/signalling-xml/index.ts";
import {
  CONTACT,
  EVENT,
  EXPIRES,
  type Flow,
  KEEP_ALIVE,
  type KeepAlive,
  type NextHop,
  RETRY_AFTER,
  type SipResponse,
  WARNING,
} from "../../../transport/sip/index.ts";
import { type SealedKey, sealNewKey } from "../../call/sealed-key.ts";
import type { Silences } from "../../group-keys/silences.ts";
import { type SipServer, SPREAD_MS } from "../../group-keys/sip-servers.ts";
import { senderOf } from "./authorised.ts";
import { sealRequest } from "./bound-request.ts";
import type { HeldControlKeys } from "./held-control-keys.ts";
import { hasOneServer, type McxClientOptions, PATIENT_KEEP_ALIVE } from "./options.ts";

const EXPIRES_SECONDS = 3600;
const AGAIN_MS = 10_000;
/** Milliseconds for the answer to a refresh. */
const PATIENCE_MS = 5000;

/** A request that the server answered with a refusal. */
export class McxRefusedError extends MikeySakkeError {
  readonly status: number;
  /** Milliseconds that the server asked for. */
  readonly retryAfter: number;

  constructor(method: string, { status, reason, headers }: SipResponse) {
    const texts = headers.all(WARNING).map(({ text }) => text);
    super("transport", "MCX_REFUSED", `SIP ${method}: ${[`${status} ${reason}`, ...texts].join(", ")}`);
    this.status = status;
    this.retryAfter = 1000 * (headers.get(RETRY_AFTER)?.seconds ?? 0);
  }
}

/** Answers that say something of the server, or of the way to it, where another one may say something else. */
const OF_SERVER = new Set([408, 430, 477, 480, 500, 502, 503, 504]);

/** Returns whether another server may do better. */
export function isOfServer(error: unknown): boolean {
  if (error instanceof McxRefusedError) return OF_SERVER.has(error.status);
  return error instanceof MikeySakkeError && error.kind === "transport";
}

/** Returns whether a server did not answer in time: it is gone, or has too much to do. */
export function isSilence(error: unknown): boolean {
  return error instanceof MikeySakkeError && error.code === "MCX_SILENT";
}

export interface BindingParts {
  readonly server: SipServer;
  readonly held: HeldControlKeys;
  readonly silences: Silences;
  /** The server does not have the binding any more, and cannot be given it again. */
  readonly lost: (error: unknown) => void;
}

export class Binding {
  readonly server: SipServer;
  readonly held: HeldControlKeys;
  readonly #options: McxClientOptions;
  readonly #silences: Silences;
  readonly #lost: (error: unknown) => void;
  readonly #keepAlive: KeepAlive;
  #cancel: (() => void) | undefined;
  #isOpen = false;
  /** The flow by which the server knows the client. */
  #flow: Flow | undefined;
  #forget: (() => void) | undefined;
  /** The name by which the process that has the binding calls itself. */
  #contact: string | undefined;

  constructor(options: McxClientOptions, { server, held, silences, lost }: BindingParts) {
    this.#options = options;
    this.server = server;
    this.held = held;
    this.#silences = silences;
    this.#lost = lost;
    const keepAlive = options.keepAlive ?? (hasOneServer(options) ? PATIENT_KEEP_ALIVE : KEEP_ALIVE);
    this.#keepAlive = options.endpoint.keepAlive({
      ...silences.keepAlive(keepAlive),
      // Only the process itself knows the binding, whatever stands before it.
      flow: () => undefined,
      isDirect: () => false,
      ask: () => this.#ask(),
      // 404: started again since.
      lost: (status) => {
        if (status === 404) return void this.#renew();
        if (status === undefined) silences.noticed();
        this.#fail(silent(status));
      },
    });
  }

  /** The target of requests of this binding: the process that has it. */
  get target(): { readonly uri: string; readonly nextHop: NextHop | undefined } {
    const { uri, nextHop } = this.server;
    return this.#contact === undefined ? { uri, nextHop } : { uri: this.#contact, nextHop: undefined };
  }

  /** Returns whether the server goes by that name. */
  isAt(uri: string): boolean {
    return uri === this.#contact || uri === this.server.uri;
  }

  /** Returns whether its requests are protected on their way. */
  get isSecure(): boolean {
    return this.#flow?.transport === "TLS" || this.#flow?.transport === "WSS";
  }

  /**
   * Uploads a new CSK, and keeps the binding from then on. The answer may take `patience` milliseconds.
   *
   * @throws {McxRefusedError}; SIP transport errors; those of sealing
   */
  async open(patience?: number): Promise<void> {
    const { keys, mcxUri, random, now, clock } = this.#options;
    this.#isOpen = true;
    const { key, octets } = await sealNewKey("CSK", { uri: mcxUri }, keys(), { random, now: now() });
    this.held.offer(key);
    try {
      const answer = this.#publish(this.#wanted, { key, octets });
      const expires = await (patience === undefined ? answer : inTime(answer, patience, clock));
      this.held.add(key);
      this.#forget ??= this.#options.endpoint.onFlowClosed((flow) => this.#closed(flow));
      this.#renewIn(expires);
      this.#options.onEvent?.({ type: "bound", expires, server: this.server.name });
    } catch (error) {
      this.held.withdraw(key);
      throw error;
    }
  }

  /** Takes the binding away. Does not reject: the server ends it in time. */
  async close(): Promise<void> {
    const wasOpen = this.#isOpen;
    this.#stop();
    if (wasOpen) await this.#publish(0).catch(() => undefined);
    this.held.destroy();
  }

  /** Without a word to the server. */
  drop(): void {
    this.#stop();
    this.held.destroy();
  }

  #stop(): void {
    this.#isOpen = false;
    this.#cancel?.();
    this.#forget?.();
    this.#keepAlive.stop();
  }

  /** A server that has no other way to the client finds it again by a PUBLISH on a new flow (RFC 5626 4.4). */
  #closed(flow: Flow): void {
    if (!this.#isOpen || flow !== this.#flow) return;
    this.#flow = undefined;
    const { clock, random } = this.#options;
    // Clients of a server that was started again do not all come at once.
    const wait = (SPREAD_MS * random(1)[0]!) / 256;
    this.#cancel?.();
    this.#cancel = clock.after(wait, () => void this.#renew());
  }

  get #wanted(): number {
    return this.#options.expires ?? EXPIRES_SECONDS;
  }

  #renewIn(expires: number): void {
    if (!this.#isOpen) return;
    const { clock, ims } = this.#options;
    this.#cancel?.();
    this.#cancel = clock.after((expires * 1000 * 2) / 3, () => void this.#renew());
    // In an IMS the core does that, and a request finds its process by the identity of the service.
    if (ims === undefined) this.#keepAlive.start();
  }

  /** A server that has forgotten the client, as after its restart, needs a CSK again. */
  async #renew(): Promise<void> {
    const { clock, onEvent } = this.#options;
    // Where no other server could take its place, a slow one has the time that SIP gives it.
    const patience = hasOneServer(this.#options) ? undefined : this.#silences.limit(PATIENCE_MS);
    let failed: unknown;
    try {
      const answer = this.#publish(this.#wanted);
      const expires = await (patience === undefined ? answer : inTime(answer, patience, clock));
      this.#renewIn(expires);
      onEvent?.({ type: "renewed", expires });
      return;
    } catch (error) {
      failed = error;
    }
    if (this.#isOpen && failed instanceof McxRefusedError && failed.status === 403) {
      try {
        await this.open(patience);
        return;
      } catch (error) {
        failed = error;
      }
    }
    if (!this.#isOpen) return;
    if (isOfServer(failed)) return this.#fail(failed);
    onEvent?.({ type: "binding-failed", error: failed });
    this.#cancel = clock.after(AGAIN_MS, () => void this.#renew());
  }

  #fail(error: unknown): void {
    if (!this.#isOpen) return;
    this.#stop();
    this.#lost(error);
  }

  async #ask(): Promise<number> {
    const { endpoint, userUri, mcxUri } = this.#options;
    const request = { method: "OPTIONS", from: userUri, to: mcxUri, ...this.target };
    return (await endpoint.request(request)).status;
  }

  async #publish(expires: number, csk?: SealedKey): Promise<number> {
    const { endpoint, mcxUri, ims } = this.#options;
    const body = csk === undefined ? await this.#proof() : await this.#upload(csk);
    const { from, headers: authorise } = await senderOf(this.#options);
    const response = await endpoint.request({
      method: "PUBLISH",
      ...this.target,
      from,
      to: mcxUri,
      ...body,
      leaves: (flow) => {
        this.#flow = flow;
      },
      headers(headers) {
        headers.set(EVENT, { value: "poc-settings", params: new Map() }).set(EXPIRES, expires);
        authorise(headers);
      },
    });
    if (response.status >= 300) throw new McxRefusedError("PUBLISH", response);
    const contact = response.headers.get(CONTACT);
    if (ims === undefined && contact !== undefined && contact !== "*") this.#contact = contact.uri;
    return response.headers.get(EXPIRES) ?? expires;
  }

  /** In an IMS with the token, encrypted under the CSK that comes with it (TS 24.379 7.2.2, TS 33.180 9.3). */
  async #upload({ key, octets }: SealedKey) {
    const { ims, userUri, token, random } = this.#options;
    const mikey = { contentType: MEDIA.mikey, body: octets };
    if (ims === undefined) return writeMultipart([mikey]);
    const info = utf8(writeMcpttInfo({ accessToken: await token() }));
    const documents = [
      { contentType: MEDIA.mcpttInfo, body: info },
      { contentType: MEDIA.pocSettings, body: utf8(writePocSettings(userUri)) },
    ];
    const xml = new PeerXmlKeys(userUri);
    try {
      xml.add(key);
      return writeMultipart([mikey, ...(await sealSignalling(documents, xml.sending, { random }))]);
    } finally {
      xml.destroy();
    }
  }

  /** TS 33.180 9.3.5: under the CSK the binding may be refreshed, moved and ended on whichever flow. */
  #proof() {
    return sealRequest(this.#options, this.held, {
      method: "PUBLISH",
      contentType: MEDIA.mcpttInfo,
      info: (binding) => writeMcpttInfo({ callingUser: this.#options.userUri, binding }),
      parts: [],
    });
  }
}

/** Work that takes longer counts as unanswered; its later outcome counts for nothing. */
export async function inTime<T>(work: Promise<T>, milliseconds: number, clock: Clock): Promise<T> {
  const outcome = await orLate(work, clock, milliseconds);
  if (outcome === undefined) throw silent(undefined);
  return outcome;
}

function silent(status: number | undefined): MikeySakkeError {
  const what = status === undefined ? "does not answer" : `answers ${status}`;
  return new MikeySakkeError("transport", "MCX_SILENT", `the MCX server ${what}`);
}
