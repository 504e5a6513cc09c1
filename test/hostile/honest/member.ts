/** One honest member: keys from the KMS, group keys over SIP or HTTP, calls and short data, over one transport each. */
import type { Core } from "../../../bindings/core/core.ts";
import { fromUtf8, type KeyId, systemRandom, utf8 } from "../../../bindings/index.ts";
import { PAYLOAD_CONTENT_TYPES } from "../../../bindings/mcdata/index.ts";
import { type ProvisionedKeys, provisionedKeys } from "../../../cli/device/keys.ts";
import { mediaPort } from "../../../cli/device/member.ts";
import { addressTowards, sipServer } from "../../../cli/device/sip.ts";
import { type HttpsFetch, httpsFetch, readCa } from "../../../cli/server/https.ts";
import { ringKeys } from "../../../roles/client/calls/index.ts";
import {
  createMcxClient,
  type McxCall,
  type McxClient,
  type ReceivedData,
} from "../../../roles/client/mcx/index.ts";
import { createGroupClient, type GroupClient, GroupKeyRing } from "../../../roles/group-keys/index.ts";
import { KmsClient, MemoryStorage } from "../../../roles/identity/index.ts";
import {
  createSipEndpoint,
  type SessionEnd,
  type SipEndpoint,
  type SipTransport,
  systemClock,
  webSocketTransport,
} from "../../../transport/sip/index.ts";
import { openWebSocket, tcpTransport, udpTransport } from "../../../transport/sip/index-node.ts";
import { freePort } from "../../support/free-port.ts";
import type { Listening, SipWay } from "../server.ts";
import type { Place } from "../stock.ts";
import type { Recorder } from "./recorder.ts";
import type { Tokens } from "./tokens.ts";

export interface MemberWorld {
  readonly core: Core;
  readonly server: Listening;
  readonly recorder: Recorder;
  readonly tokens: Tokens;
  readonly group: string;
}

const HOST = "127.0.0.1";
const GRANT_MS = 20_000;
const SUBSCRIBE_MS = 30_000;
const LOOK_MS = 5;
/** Looks over HTTP are asked for. */
const NEVER_MS = 3_600_000;

export class HonestMember {
  readonly uri: string;
  readonly way: SipWay;
  /** Whether group keys come in NOTIFYs, or are fetched. */
  readonly carrier: "sip" | "http";
  readonly data: ReceivedData[] = [];
  /** How the call ended, where this member did not end it. */
  callEnd: SessionEnd | undefined;
  readonly sockets = { sip: [] as Place[], media: [] as Place[], floor: [] as Place[] };
  readonly #world: MemberWorld;
  readonly #closers: (() => unknown)[] = [];
  #https: HttpsFetch | undefined;
  #keys: ProvisionedKeys | undefined;
  #ring: GroupKeyRing | undefined;
  #client: GroupClient | undefined;
  #mcx: McxClient | undefined;
  #call: McxCall | undefined;
  #gmsEndpoint: SipEndpoint | undefined;

  constructor(uri: string, way: SipWay, carrier: "sip" | "http", world: MemberWorld) {
    this.uri = uri;
    this.way = way;
    this.carrier = carrier;
    this.#world = world;
  }

  async provision(): Promise<void> {
    const { core, server, recorder, tokens } = this.#world;
    this.#https = await httpsFetch(server.ca);
    this.#closers.push(this.#https.close);
    const storage = new MemoryStorage();
    this.#keys = await provisionedKeys({
      userUri: this.uri,
      kmsUrl: server.kmsUrl,
      kmsUri: server.kmsUri,
      token: () => tokens.of(this.uri, "kms"),
      fetch: recorder.http(this.#https.fetch),
      storage,
      core,
    });
    this.#closers.push(() => this.#keys!.stop());
    this.#ring = await GroupKeyRing.open(storage, { userUri: this.uri, now: Date.now });
    this.#closers.push(() => this.#ring!.close());
  }

  /** Subscribes, or looks for the first time. */
  async connect(): Promise<void> {
    if (this.carrier === "sip") this.#gmsEndpoint = await this.#endpoint("gms");
    this.#client = this.#groupClient(this.#ring!);
    this.#client.start();
    this.#closers.push(() => this.#client!.stop());
    if (this.carrier === "http") await this.#client.refresh();
  }

  #groupClient(ring: GroupKeyRing, subscribed?: () => void): GroupClient {
    const { server, recorder, tokens, group } = this.#world;
    const isSip = this.carrier === "sip";
    const sipUri = sipServer(server.sip[this.way], "SIP").uri;
    return createGroupClient({
      userUri: this.uri,
      keys: this.#keys!.current,
      ring,
      gms: { uri: server.gmsUri, ...(isSip ? { sipUri } : { xcapRoot: server.xcapRoot }) },
      groups: [group],
      way: this.carrier,
      ...(isSip ? { sip: this.#gmsEndpoint! } : { fetch: recorder.http(this.#https!.fetch) }),
      pollMs: NEVER_MS,
      token: () => tokens.of(this.uri, "gms"),
      now: Date.now,
      random: systemRandom,
      onEvent: (event) => {
        if (event.type === "subscribed") subscribed?.();
      },
    });
  }

  /** Another subscription beside the first, until it is answered; then it is ended. */
  async subscribeAgain(): Promise<void> {
    const ring = await GroupKeyRing.open(new MemoryStorage(), { userUri: this.uri, now: Date.now });
    let done: () => void = () => undefined;
    const subscribed = new Promise<void>((resolve, reject) => {
      done = resolve;
      setTimeout(() => reject(new Error("not subscribed")), SUBSCRIBE_MS).unref();
    });
    const client = this.#groupClient(ring, done);
    client.start();
    try {
      await subscribed;
    } finally {
      void client.stop().then(() => ring.close());
    }
  }

  /** Asks the GMS, over HTTP. */
  async look(): Promise<void> {
    await this.#client!.refresh();
  }

  /** A request to the KMS. */
  async lookup(): Promise<void> {
    const { server, recorder, tokens } = this.#world;
    const kms = new KmsClient({
      url: server.kmsUrl,
      kmsUri: server.kmsUri,
      userUri: this.uri,
      fetch: recorder.http(this.#https!.fetch),
      token: () => tokens.of(this.uri, "kms"),
      now: Date.now,
      timeoutMs: 60_000,
    });
    await kms.lookup();
  }

  async isHealthy(url: string): Promise<void> {
    const answer = await fetch(new URL("/health/ready", url));
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  }

  /** Uploads a CSK. */
  async bind(): Promise<void> {
    if (this.#mcx === undefined) {
      const { server, tokens } = this.#world;
      const endpoint = await this.#endpoint("mcx");
      let opened = 0;
      this.#mcx = createMcxClient({
        userUri: this.uri,
        mcxUri: server.mcxUri,
        sipUri: sipServer(server.mcxSip[this.way], "SIP").uri,
        endpoint,
        keys: this.#keys!.current,
        token: () => tokens.of(this.uri, "mcx"),
        groupKeys: (group) => ringKeys(this.#ring!, group),
        openPort: async () => {
          // A call opens one for media, then one for floor control.
          const what = opened++ % 2 === 0 ? "media" : "floor";
          const port = await mediaPort(HOST);
          this.sockets[what].push(port.address);
          return this.#world.recorder.datagrams(port, what);
        },
        clock: systemClock,
        now: Date.now,
        random: systemRandom,
        onEvent: (event) => {
          if (event.type === "data") this.data.push(event);
        },
      });
      this.#closers.push(() => this.#mcx!.close());
    }
    await this.#mcx.bind();
  }

  async join(): Promise<void> {
    this.callEnd = undefined;
    const onEnd = (end: SessionEnd) => {
      this.callEnd = end;
    };
    this.#call = await this.#mcx!.call(this.#world.group, { onEnd });
  }

  async leave(): Promise<void> {
    const call = this.#call;
    this.#call = undefined;
    await call?.hangUp();
  }

  /** Media that were decrypted in the call, and what was not. */
  get heard(): { readonly received: number; readonly replayed: number } {
    const { received, refused } = this.#call!.call.counters.media;
    return { received, replayed: refused.replayed };
  }

  async takeFloor(): Promise<void> {
    const { call } = this.#call!;
    call.request();
    const until = performance.now() + GRANT_MS;
    while (call.floor.state !== "granted") {
      if (performance.now() > until) throw new Error(`${this.uri}: no floor, ${call.floor.state}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async say(frame: Int16Array): Promise<void> {
    await this.#call!.call.send(frame);
  }

  /** Plays a frame, as a loudspeaker would; otherwise the jitter buffer would fill. */
  play(): void {
    this.#call?.call.play();
  }

  async release(): Promise<void> {
    const { call } = this.#call!;
    call.release();
    const until = performance.now() + GRANT_MS;
    while (call.floor.state === "granted" || call.floor.state === "releasing") {
      if (performance.now() > until)
        throw new Error(`${this.uri}: floor ${call.floor.state} after the release`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async sendText(text: string): Promise<void> {
    const data = utf8(text);
    await this.#mcx!.send(this.#world.group, [{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data }]);
  }

  get texts(): string[] {
    return this.data.flatMap(({ payloads }) => payloads.map(({ data }) => fromUtf8(data)));
  }

  hasKey(gmkId: KeyId): boolean {
    return this.#ring!.key(gmkId)?.key !== undefined;
  }

  /** Returns whether a key that the other may talk under is missing here. */
  lacksKeyOf(other: HonestMember): boolean {
    return [...other.keys().keys()].some((gmkId) => !this.hasKey(gmkId));
  }

  /** GMK-IDs of the ring, each with its key in hexadecimal. */
  keys(): ReadonlyMap<KeyId, string> {
    const keys = this.#ring!.keys().filter(({ key }) => key !== undefined);
    return new Map(keys.map(({ gmkId, key }) => [gmkId, Buffer.from(key!.reveal()).toString("hex")]));
  }

  async close(): Promise<void> {
    await this.leave().catch(() => undefined);
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) await next();
  }

  async #endpoint(server: "gms" | "mcx"): Promise<SipEndpoint> {
    const { server: listening, recorder } = this.#world;
    const address = (server === "gms" ? listening.sip : listening.mcxSip)[this.way];
    const { port } = sipServer(address, "SIP");
    const transports = await this.#transports(address);
    const endpoint = createSipEndpoint({
      transports: transports.map((transport) => recorder.sip(transport, server, port)),
      clock: systemClock,
      random: systemRandom,
    });
    await endpoint.start();
    this.#closers.push(() => endpoint.close());
    return endpoint;
  }

  async #transports(address: string): Promise<SipTransport[]> {
    const { host, port } = sipServer(address, "SIP");
    const ca = await readCa(this.#world.server.ca);
    switch (this.way) {
      case "tcp":
        return [tcpTransport({})];
      case "tls":
        return [tcpTransport({ tls: { client: { ca } } })];
      case "ws":
      case "wss":
        return [webSocketTransport({ url: address, random: systemRandom, open: openWebSocket({ ca }) })];
      default: {
        const own = await addressTowards(host, port);
        const both = { host: own, port: await freePort(own) };
        this.sockets.sip.push(both);
        return [udpTransport(both), tcpTransport({ listen: both })];
      }
    }
  }
}
