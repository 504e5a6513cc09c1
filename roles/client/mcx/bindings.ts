/**
 * The processes of one MCX server that a client is bound at: one that its requests go to, and others that serve calls it is in.
 * Each has CSKs of its own, as streams under one CSK at two processes could meet.
 */
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { DeliveredKey, KeyId } from "../../../bindings/index.ts";
import type { XmlKey, XmlKeySource } from "../../../documents/signalling-xml/index.ts";
import { parseSipUri } from "../../../transport/sip/index.ts";
import { Silences } from "../../group-keys/silences.ts";
import { type SipServer, SipServers } from "../../group-keys/sip-servers.ts";
import { Binding, isOfServer, isSilence, McxRefusedError } from "./binding.ts";
import { HeldControlKeys, ReceivedMusiks } from "./held-control-keys.ts";
import { hasOneServer, type McxClientOptions } from "./options.ts";

/** Milliseconds for a process that a call was redirected to: it lives, or another one takes its place soon. More after silence. */
const REDIRECT_PATIENCE_MS = 1000;

export class Bindings implements XmlKeySource {
  readonly musiks = new ReceivedMusiks();
  /** The silences of all servers together, since clients run from a slow one to the next. */
  readonly silences: Silences;
  readonly #options: McxClientOptions;
  readonly #servers: SipServers;
  readonly #all = new Set<Binding>();
  /** Calls by the binding that they are under. */
  readonly #calls = new Map<Binding, number>();
  /** Bindings in progress, so that two calls to one process share a binding. */
  readonly #opening = new Map<string, Promise<Binding>>();
  #home: Binding | undefined;
  #binding: Promise<Binding> | undefined;
  #cancel: () => void = () => undefined;
  /** Until it is bound for the first time, and from `close` on. */
  #isClosed = true;

  constructor(options: McxClientOptions) {
    this.#options = options;
    const { endpoint, sipUri, resolver, clock, random } = options;
    this.silences = new Silences(clock);
    this.#servers = new SipServers({
      uris: typeof sipUri === "string" ? [sipUri] : sipUri,
      transports: endpoint.transports,
      clock,
      random,
      ...defined({ resolver }),
    });
  }

  /** Binds, or uploads a new CSK where it is bound. Rejects as `Binding.open`, when all servers have failed. */
  async bind(): Promise<void> {
    this.#isClosed = false;
    if (this.#home !== undefined) await this.#home.open();
    else await this.home();
  }

  /** The binding that requests go by: the one there is, or a new one. Rejects as `bind`. */
  home(): Promise<Binding> {
    if (this.#home !== undefined) return Promise.resolve(this.#home);
    if (this.#isClosed) return Promise.reject(notBound());
    this.#cancel();
    this.#binding ??= this.#bindHome().finally(() => {
      this.#binding = undefined;
    });
    return this.#binding;
  }

  /** The one that requests go by at present. */
  get present(): Binding | undefined {
    return this.#home;
  }

  /** Bound at the process of that Contact, which `from` has named. Rejects as `Binding.open`. */
  async at(contact: string, from: Binding): Promise<Binding> {
    const known = [...this.#all].find((binding) => binding.isAt(contact));
    if (known !== undefined) return known;
    requireAsSecure(contact, from);
    const opening = this.#opening.get(contact) ?? this.#openAt(contact);
    this.#opening.set(contact, opening);
    return opening.finally(() => this.#opening.delete(contact));
  }

  /** A call begins under this binding. */
  hold(binding: Binding): void {
    this.#calls.set(binding, (this.#calls.get(binding) ?? 0) + 1);
  }

  /** A call has ended; a process that served nothing else is told. */
  release(binding: Binding): void {
    const left = (this.#calls.get(binding) ?? 1) - 1;
    if (left > 0) this.#calls.set(binding, left);
    else this.#calls.delete(binding);
    if (left > 0 || binding === this.#home || !this.#all.delete(binding)) return;
    void binding.close();
  }

  /** The process of this binding has gone, or goes. */
  lost(binding: Binding, error?: unknown): void {
    this.#calls.delete(binding);
    if (!this.#all.delete(binding)) return;
    binding.drop();
    this.#options.onEvent?.({ type: "server-lost", server: binding.server.name });
    this.#servers.failed(binding.server, error instanceof McxRefusedError ? error.retryAfter : 0);
    if (binding === this.#home) {
      this.#home = undefined;
      this.#bindLater();
    }
  }

  find(keyId: KeyId): XmlKey | undefined {
    for (const { held } of this.#all) {
      const key = held.find(keyId);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  /** The one that has a key of that number. */
  holding(keyId: KeyId): Binding | undefined {
    return [...this.#all].find(({ held }) => held.find(keyId) !== undefined);
  }

  receiving(keyId: KeyId): DeliveredKey | undefined {
    for (const { held } of this.#all) {
      const key = held.receiving(keyId);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    this.#home = undefined;
    const all = [...this.#all];
    this.#all.clear();
    await Promise.all(all.map((binding) => binding.close()));
    this.musiks.destroy();
  }

  /** Each server is tried once. */
  async #bindHome(): Promise<Binding> {
    const tried = new Set<string>();
    let failed: unknown;
    for (;;) {
      const server = await this.#servers.next();
      if (tried.has(server.name)) throw failed;
      tried.add(server.name);
      try {
        // Where no other server could take its place, a slow one has the time that SIP gives it.
        const patience = hasOneServer(this.#options) ? undefined : this.#servers.patience(server);
        const binding = await this.#open(server, patience);
        this.#servers.worked(server);
        this.#home = binding;
        return binding;
      } catch (error) {
        if (!isOfServer(error)) throw error;
        failed = error;
        this.#servers.failed(server, error instanceof McxRefusedError ? error.retryAfter : 0);
      }
    }
  }

  async #openAt(contact: string): Promise<Binding> {
    const patience = this.silences.limitOfOwner(REDIRECT_PATIENCE_MS);
    try {
      return await this.#open({ uri: contact, nextHop: undefined, name: contact }, patience);
    } catch (error) {
      if (isSilence(error)) this.silences.noticed();
      throw error;
    }
  }

  async #open(server: SipServer, patience?: number): Promise<Binding> {
    const { userUri, random } = this.#options;
    const held = new HeldControlKeys(userUri, random, this.musiks);
    const lost = (error: unknown) => this.lost(binding, error);
    const binding: Binding = new Binding(this.#options, { server, held, silences: this.silences, lost });
    // What the server sends under the new CSK may come before its answer.
    this.#all.add(binding);
    try {
      await binding.open(patience);
      if (this.#isClosed) throw notBound();
      return binding;
    } catch (error) {
      this.#all.delete(binding);
      binding.drop();
      throw error;
    }
  }

  /** Again and again, ever later. */
  #bindLater(): void {
    if (this.#isClosed) return;
    const { clock, onEvent } = this.#options;
    this.#cancel();
    this.#cancel = clock.after(this.#servers.pause(), () => {
      this.home().catch((error: unknown) => {
        if (this.#isClosed) return;
        onEvent?.({ type: "binding-failed", error });
        this.#bindLater();
      });
    });
  }
}

/** A redirect must not lead from a protected way to one in clear, where the token could be read. */
function requireAsSecure(contact: string, from: Binding): void {
  const { scheme, params } = parseSipUri(contact);
  const transport = params.get("transport")?.toLowerCase();
  if (!from.isSecure || scheme === "sips" || transport === "tls" || transport === "wss") return;
  throw new MikeySakkeError("verification", "MCX_REDIRECT", "redirected from TLS to a way in clear");
}

function notBound(): MikeySakkeError {
  return new MikeySakkeError("usage", "NO_SIGNALLING_KEY", "no CSK is uploaded");
}
