/** The user's client: identity keys from the KMS, group keys from the GMS, calls and short data by the MCX server. */
import { backOff } from "../../../base/back-off.ts";
import { pause } from "../../../base/deadline.ts";
import {
  type Core,
  formatKeyId,
  fromUtf8,
  MikeySakkeError,
  systemRandom,
  utf8,
} from "../../../bindings/index.ts";
import { PAYLOAD_CONTENT_TYPES, SDS_DISPOSITION_REQUESTS } from "../../../bindings/mcdata/index.ts";
import { G711, NO_ADDRESS, OPUS } from "../../../documents/sdp/call.ts";
import { ringKeys } from "../../../roles/call/ring-keys.ts";
import { McxRefusedError } from "../../../roles/client/mcx/binding.ts";
import { Bindings } from "../../../roles/client/mcx/bindings.ts";
import type { JoinedCall } from "../../../roles/client/mcx/calling.ts";
import { createMcxGroupClient, type McxGroupClient } from "../../../roles/client/mcx/client.ts";
import type {
  DataNotification,
  McxClientEvent,
  McxClientOptions,
  ReceivedData,
} from "../../../roles/client/mcx/options.ts";
import type { Watch } from "../../../roles/client/mcx/watching.ts";
import {
  createGroupClient,
  type GroupClientEvent,
  type GroupKey,
  GroupKeyRing,
} from "../../../roles/group-keys/index.ts";
import {
  type HeldKeys,
  holdKeys,
  KeyStore,
  KmsClient,
  KmsTrust,
  type SecretStorage,
} from "../../../roles/identity/index.ts";
import {
  createSipEndpoint,
  type SipEndpoint,
  systemClock,
  webSocketTransport,
} from "../../../transport/sip/index.ts";
import type { PageConfig } from "../config.ts";
import type { FromKeys, GroupView, KeysToMedia, KeyView } from "../messages.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { loadCore } from "./core.ts";
import { plainKey } from "./held-keys.ts";
import { openStorage } from "./storage.ts";
import { Texts } from "./texts.ts";

export interface MemberOptions {
  readonly user: string;
  readonly config: PageConfig;
  /** An access token for a server. */
  readonly token: (server: "kms" | "gms" | "mcx") => Promise<string>;
  /** To the worker of media. */
  readonly media: MessagePort;
  /** The groups whose calls are joined; all when undefined. */
  readonly groups?: readonly string[];
  readonly hasOpus: boolean;
  readonly tell: (message: FromKeys) => void;
  readonly extras?: MemberExtras | undefined;
}

/** What a page has beside calls of groups and their texts. */
export interface MemberExtras {
  readonly PrivateSignalling: new (options: PrivateSignallingOptions) => PrivateCalls;
  readonly Receipts: new (options: ReceiptsOptions) => Receipts;
}

export interface PrivateSignallingOptions {
  readonly mcx: McxClientOptions;
  readonly bindings: Bindings;
  readonly toMedia: (message: KeysToMedia) => void;
  readonly tell: (message: FromKeys) => void;
}

export interface PrivateCalls {
  call(user: string): Promise<void>;
  hangUp(): void;
}

export interface ReceiptsOptions {
  readonly storage: SecretStorage;
  readonly tell: (message: FromKeys) => void;
  readonly now: () => number;
}

export interface Receipts {
  /** Tells all that are kept. */
  read(): Promise<void>;
  /** A receiver of a message of the user's tells what became of it. */
  told(notification: DataNotification): Promise<void>;
}

/** A server behind the WebSocket that leads to it: the name is never looked up. */
const SERVER = "sip:server.invalid";
/** Milliseconds between attempts to bind, to join and to send. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5000;
const FORBIDDEN = 403;
const { DELIVERY_AND_READ } = SDS_DISPOSITION_REQUESTS;
/** Milliseconds that a user who leaves waits for the server. */
const LEAVE_MS = 2000;

interface Call {
  state: GroupView["call"];
  joined: JoinedCall | undefined;
  watch: Watch | undefined;
  present: readonly string[] | undefined;
}

export class Member {
  /** Where the page has any, once there is a client. */
  privateCalls: PrivateCalls | undefined;
  readonly #options: MemberOptions;
  /** Groups that the user is in, by what the GMS says and by the keys that are there. */
  readonly #calls = new Map<string, Call>();
  #ring!: GroupKeyRing;
  #texts!: Texts;
  #mcx: McxGroupClient | undefined;
  #isBound = false;
  #isSending = false;
  #hadKey = false;
  #chosen: readonly string[] | undefined;
  /** Receivers of texts are asked to acknowledge them where there are receipts. */
  #receipts: Receipts | undefined;
  readonly #acknowledgements = new Acknowledgements((received, disposition) => {
    this.#mcx!.notify(received, disposition).catch((error: unknown) => this.#fault(error));
  });

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#chosen = options.groups;
  }

  async start(): Promise<void> {
    const { user, config, tell, extras } = this.#options;
    this.#toMedia({ type: "user", user, mixer: config.mcx.uri });
    const storage = await openStorage(user);
    this.#texts = new Texts(storage);
    for (const text of await this.#texts.read()) tell({ type: "text", text });
    this.#receipts = extras && new extras.Receipts({ storage, tell, now: Date.now });
    await this.#receipts?.read();
    this.#ring = await GroupKeyRing.open(storage, { userUri: user, now: Date.now });
    for (const group of this.#ring.groups()) this.#enter(group);
    this.#ring.onChange(() => this.#keysChanged());
    this.#keysChanged();
    const core = await loadCore();
    tell({ type: "step", step: "core" });
    const keys = await this.#identity(core, new KeyStore(storage));
    tell({ type: "step", step: "keys" });
    await Promise.all([this.#subscribe(keys), this.#bind(keys)]);
  }

  async say(group: string, text: string): Promise<void> {
    const { user, tell } = this.#options;
    tell({ type: "text", text: await this.#texts.write(group, user, text, Date.now()) });
    await this.#sendTexts();
  }

  /** Joins the calls of these groups, and leaves all others. */
  choose(groups: readonly string[]): void {
    this.#chosen = groups;
    for (const [group, call] of this.#calls) {
      if (call.joined === undefined || this.#isChosen(group)) void this.#join(group);
      else this.#hangUp(group, call);
    }
  }

  /** The user sees the texts of these groups. */
  shown(groups: readonly string[]): void {
    this.#acknowledgements.shown(groups);
  }

  /** Hangs up and takes the binding away, as far as that is soon done. */
  async leave(): Promise<void> {
    const joined = [...this.#calls.values()].flatMap((call) => call.joined ?? []);
    this.#calls.clear();
    this.privateCalls?.hangUp();
    const ended = Promise.allSettled(joined.map((call) => call.hangUp())).then(() => this.#mcx?.close());
    await Promise.race([ended.catch(() => undefined), pause(LEAVE_MS)]);
  }

  #identity(core: Core, store: KeyStore): Promise<HeldKeys> {
    const { user, config, tell } = this.#options;
    const { url, uri, via } = config.kms;
    const client = new KmsClient({
      url,
      kmsUri: uri,
      userUri: user,
      now: Date.now,
      token: () => this.#options.token("kms"),
      // A path of the page's own origin may want the page's session.
      fetch: (to, init) =>
        via === undefined
          ? fetch(to, init)
          : fetch(to.replace(url, via), { ...init, credentials: "same-origin" }),
    });
    const trust = new KmsTrust({ home: uri });
    const onEvent = (event: { readonly type: string; readonly error?: unknown }) => {
      if (event.type === "failed") tell({ type: "fault", text: `keys of the KMS: ${textOf(event.error)}` });
    };
    return holdKeys({ client, store, trust, core, now: Date.now, random: systemRandom, onEvent });
  }

  async #subscribe(keys: HeldKeys): Promise<void> {
    const { user, config } = this.#options;
    const sip = await this.#endpoint(config.gms.sip);
    const client = createGroupClient({
      userUri: user,
      keys: () => keys.current(),
      ring: this.#ring,
      gms: { uri: config.gms.uri, sipUri: SERVER },
      groups: "all",
      way: "sip",
      sip,
      token: () => this.#options.token("gms"),
      now: Date.now,
      random: systemRandom,
      onEvent: (event) => this.#ofGms(event),
    });
    client.start();
  }

  #ofGms(event: GroupClientEvent): void {
    const { tell } = this.#options;
    switch (event.type) {
      case "subscribed":
        tell({ type: "connected", server: "gms", isConnected: true });
        tell({ type: "step", step: "subscribed" });
        break;
      case "server-lost":
      case "subscription-lost":
        tell({ type: "connected", server: "gms", isConnected: false });
        break;
      case "member":
        this.#enter(event.groupUri);
        break;
      case "not-member":
        this.#leave(event.groupUri);
        break;
      case "key-state":
        this.#keysChanged();
        break;
      case "failed":
        this.#fault(event.error);
        break;
    }
  }

  async #bind(keys: HeldKeys): Promise<void> {
    const { user, config, tell, extras } = this.#options;
    const endpoint = await this.#endpoint(config.mcx.sip);
    endpoint.onFlowClosed(() => {
      this.#isBound = false;
      tell({ type: "connected", server: "mcx", isConnected: false });
    });
    const options: McxClientOptions = {
      userUri: user,
      mcxUri: config.mcx.uri,
      sipUri: SERVER,
      endpoint,
      keys: () => keys.current(),
      token: () => this.#options.token("mcx"),
      groupKeys: (group) => ringKeys(this.#ring, group),
      openPort: () => Promise.reject(new Error("a page has no sockets")),
      clock: systemClock,
      now: Date.now,
      random: systemRandom,
      onEvent: (event) => this.#ofMcx(event),
    };
    const bindings = new Bindings(options);
    this.#mcx = createMcxGroupClient(options, bindings);
    if (extras !== undefined) {
      const toMedia = (message: KeysToMedia) => this.#toMedia(message);
      this.privateCalls = new extras.PrivateSignalling({ mcx: options, bindings, toMedia, tell });
    }
    for (let failures = 0; !this.#isBound; failures++) {
      if (failures > 0) await pause(retryWait(failures));
      await this.#mcx.bind().catch((error: unknown) => this.#fault(error));
    }
  }

  #ofMcx(event: McxClientEvent): void {
    if (event.type === "bound" || event.type === "renewed") this.#bound();
    else if (event.type === "key") this.#sendControlKeys();
    else if (event.type === "data") this.#take(event);
    else if (event.type === "data-notification") void this.#receipts?.told(event);
  }

  #take(event: ReceivedData): void {
    for (const { contentType, data } of event.payloads) {
      if (contentType !== PAYLOAD_CONTENT_TYPES.TEXT) continue;
      const { messageId: id, groupUri: group, from, dateTime } = event;
      const text = { id, group, from, at: dateTime * 1000, text: fromUtf8(data), isWaiting: false };
      void this.#texts.put(text).then(() => this.#options.tell({ type: "text", text }));
    }
    this.#acknowledgements.came(event);
  }

  #bound(): void {
    const { tell } = this.#options;
    this.#isBound = true;
    tell({ type: "connected", server: "mcx", isConnected: true });
    tell({ type: "step", step: "bound" });
    this.#sendControlKeys();
    for (const group of this.#calls.keys()) void this.#join(group);
    void this.#sendTexts();
  }

  /** One after the other, so that they arrive in order. What does not leave now leaves when there is a connection again. */
  async #sendTexts(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let text = this.#texts.next; text !== undefined && this.#isBound; text = this.#texts.next) {
        const payload = { contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8(text.text) };
        const asked = this.#receipts && { dispositionRequest: DELIVERY_AND_READ };
        const { messageId } = await this.#mcx!.send(text.group, [payload], asked);
        this.#options.tell({ type: "text", text: await this.#texts.sent(text, messageId) });
      }
    } catch (error) {
      this.#fault(error);
      setTimeout(() => void this.#sendTexts(), LONGEST_RETRY_MS);
    } finally {
      this.#isSending = false;
    }
  }

  async #join(group: string): Promise<void> {
    const call = this.#calls.get(group);
    if (call?.state !== "none" || !this.#isBound || !this.#isChosen(group)) return;
    const { config, hasOpus } = this.#options;
    const { queueing = false } = config;
    const speech = hasOpus ? [OPUS, ...G711] : G711;
    call.state = "joining";
    this.#show();
    const isWanted = () => this.#calls.get(group) === call && this.#isBound && this.#isChosen(group);
    for (let failures = 0; isWanted(); failures++) {
      if (failures > 0) await pause(retryWait(failures));
      try {
        const joined = await this.#mcx!.join(group, {
          offer: { media: NO_ADDRESS, floor: NO_ADDRESS, webSocket: {}, queueing, speech },
          onSpeech: (formats) => this.#toMedia({ type: "speech", group, speech: formats }),
          onEnd: () => this.#ended(group, call),
        });
        const { answer, controlSsrc } = joined;
        call.joined = joined;
        call.state = "joined";
        this.#sendControlKeys();
        this.#toMedia({ type: "open", group, answer, controlSsrc });
        this.#options.tell({ type: "step", step: "joined" });
        this.#show();
        if (!this.#isChosen(group)) return this.#hangUp(group, call);
        await this.#watch(call, joined);
        return;
      } catch (error) {
        // A former member does not ask again.
        if (error instanceof McxRefusedError && error.status === FORBIDDEN && failures > 2) break;
      }
    }
    call.state = "none";
    this.#show();
  }

  /** A server that does not tell who is there has a call all the same. */
  async #watch(call: Call, joined: JoinedCall): Promise<void> {
    const onChange = (participants: readonly string[] | undefined) => {
      if (call.joined !== joined) return;
      call.present = participants;
      this.#show();
    };
    try {
      const watch = await joined.watch({ onChange, onEnd: () => onChange(undefined) });
      // The call may have ended meanwhile.
      if (call.joined === joined) call.watch = watch;
      else watch.close();
    } catch (error) {
      this.#fault(error);
    }
  }

  #isChosen(group: string): boolean {
    return this.#chosen?.includes(group) !== false;
  }

  #hangUp(group: string, call: Call): void {
    void call.joined?.hangUp().catch(() => undefined);
    this.#ended(group, call);
  }

  #ended(group: string, call: Call): void {
    this.#toMedia({ type: "close", group });
    call.watch?.close();
    call.watch = undefined;
    call.present = undefined;
    call.joined = undefined;
    call.state = "none";
    this.#show();
    void this.#join(group);
  }

  #enter(group: string): void {
    if (this.#calls.has(group)) return;
    this.#calls.set(group, { state: "none", joined: undefined, watch: undefined, present: undefined });
    this.#show();
    void this.#join(group);
  }

  #leave(group: string): void {
    const call = this.#calls.get(group);
    if (!this.#calls.delete(group)) return;
    this.#toMedia({ type: "close", group });
    void call?.joined?.hangUp().catch(() => undefined);
    this.#show();
  }

  #keysChanged(): void {
    const { tell } = this.#options;
    for (const group of this.#ring.groups()) this.#enter(group);
    for (const group of this.#calls.keys()) {
      const usable = this.#ring.keys(group).filter(isUsable);
      const keys = usable.map(({ key }) => plainKey(key!));
      this.#toMedia({ type: "group-keys", group, sending: this.#ring.current(group)?.gmkId, keys });
      for (const { key } of keys) key.fill(0);
      if (keys.length === 0 || this.#hadKey) continue;
      this.#hadKey = true;
      tell({ type: "step", step: "group-key" });
    }
    this.#show();
  }

  #sendControlKeys(): void {
    const keys = this.#mcx!.controlKeys().map(plainKey);
    this.#toMedia({ type: "control-keys", keys });
    for (const { key } of keys) key.fill(0);
  }

  #show(): void {
    const groups = [...this.#calls].sort().map(([uri, { state, present }]): GroupView => {
      const current = this.#ring.current(uri);
      const others = this.#ring.keys(uri).filter(({ gmkId }) => gmkId !== current?.gmkId);
      return {
        uri,
        key: current && viewOf(current),
        others: others.reverse().map(viewOf),
        call: state,
        present,
      };
    });
    this.#options.tell({ type: "groups", groups });
  }

  #fault(error: unknown): void {
    this.#options.tell({ type: "fault", text: textOf(error) });
  }

  #toMedia(message: KeysToMedia): void {
    this.#options.media.postMessage(message);
  }

  async #endpoint(url: string): Promise<SipEndpoint> {
    const transport = webSocketTransport({ url, random: systemRandom });
    const endpoint = createSipEndpoint({ transports: [transport], clock: systemClock, random: systemRandom });
    await endpoint.start();
    return endpoint;
  }
}

function retryWait(failures: number): number {
  return backOff({ failures, firstMs: FIRST_RETRY_MS, longestMs: LONGEST_RETRY_MS }, systemRandom);
}

function isUsable({ key, state }: GroupKey): boolean {
  return key !== undefined && (state === "active" || state === "pending");
}

function viewOf({ gmkId, state, activation, expiry, gmsUri, text }: GroupKey): KeyView {
  return { gmkId: formatKeyId(gmkId), state, activation, expiry, from: gmsUri, text };
}

function textOf(error: unknown): string {
  return error instanceof MikeySakkeError ? error.message : String(error);
}
