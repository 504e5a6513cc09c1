/** One member of the demo's group: its own keys, key ring and sockets. */
import type { Core } from "../../bindings/core/core.ts";
import { fromUtf8, type KeyId, systemRandom, utf8, wipe } from "../../bindings/index.ts";
import { PAYLOAD_CONTENT_TYPES } from "../../bindings/mcdata/index.ts";
import { GroupMedia } from "../../bindings/media/index.ts";
import { ringKeys } from "../../roles/client/calls/index.ts";
import { createMcxClient, type McxCall, type McxClient } from "../../roles/client/mcx/index.ts";
import { createGroupClient, type GroupClient, GroupKeyRing } from "../../roles/group-keys/index.ts";
import { MemoryStorage, type SecretStorage } from "../../roles/identity/index.ts";
import type { DatagramPort } from "../../transport/datagram/ports.ts";
import { systemClock } from "../../transport/sip/index.ts";
import { type ProvisionedKeys, provisionedKeys } from "../device/keys.ts";
import { mediaPort } from "../device/member.ts";
import { type ClientEndpoint, clientEndpoint, sipServer } from "../device/sip.ts";
import { clientTokens } from "../device/tokens.ts";
import type { Running } from "../gms/running-file.ts";
import { mcxDevelopmentToken } from "../mcx/mcx-token.ts";
import { type HttpsFetch, httpsFetch } from "../server/https.ts";
import type { Work } from "./clock.ts";
import { until } from "./waiting.ts";

export type Way = "sip" | "http";

export interface MemberWorld {
  readonly core: Core;
  /** Data folder of the servers. */
  readonly folder: string;
  readonly running: Running;
  /** Told whenever the ring of a member has changed. */
  readonly changed: () => void;
}

/** Looks over HTTPS are asked for; a look by itself would only blur the times. */
const NEVER_MS = 3_600_000;
const TOKEN_LIFETIME = 300;
const HOST = "127.0.0.1";

export class DemoMember {
  readonly uri: string;
  readonly way: Way;
  readonly #world: MemberWorld;
  readonly #storage: SecretStorage = new MemoryStorage();
  #https: HttpsFetch | undefined;
  #keys: ProvisionedKeys | undefined;
  #ring: GroupKeyRing | undefined;
  #endpoint: ClientEndpoint | undefined;
  #client: GroupClient | undefined;
  #mcx: McxClient | undefined;
  #call: McxCall | undefined;
  #tap: ((packet: Uint8Array) => void) | undefined;
  #spy: GroupMedia | undefined;
  readonly #tried: Promise<boolean>[] = [];
  /** By group. */
  readonly #heard = new Map<string, Set<string | undefined>>();
  /** Short data that came. */
  readonly texts: string[] = [];

  constructor(uri: string, way: Way, world: MemberWorld) {
    this.uri = uri;
    this.way = way;
    this.#world = world;
  }

  /** Gets the keys of the identity from the KMS. */
  async provision(): Promise<void> {
    const { core, running, folder } = this.#world;
    this.#https ??= await httpsFetch(running.ca);
    this.#keys = await provisionedKeys({
      userUri: this.uri,
      kmsUrl: running.kmsUrl,
      kmsUri: running.kmsUri,
      token: clientTokens({}, this.uri, folder).kmsToken,
      fetch: this.#https.fetch,
      storage: this.#storage,
      core,
    });
    this.#ring = await GroupKeyRing.open(this.#storage, { userUri: this.uri, now: Date.now });
    this.#ring.onChange(this.#world.changed);
  }

  /** Subscribes, or looks for the first time. What comes of it shows in the ring. */
  async connect(groups: readonly string[]): Promise<void> {
    const { running, folder } = this.#world;
    const isSip = this.way === "sip";
    const endpoint = isSip ? await this.#open() : undefined;
    this.#client = createGroupClient({
      userUri: this.uri,
      keys: this.#keys!.current,
      ring: this.#ring!,
      gms: {
        uri: running.gmsUri,
        ...(endpoint === undefined ? { xcapRoot: running.xcapRoot } : { sipUri: endpoint.uri }),
      },
      groups,
      way: this.way,
      ...(endpoint === undefined ? { fetch: this.#https!.fetch } : { sip: endpoint.endpoint }),
      pollMs: NEVER_MS,
      token: clientTokens({}, this.uri, folder).gmsToken,
      now: Date.now,
      random: systemRandom,
    });
    this.#client.start();
  }

  /** Asks the GMS again. */
  async look(): Promise<void> {
    await this.#client!.refresh();
  }

  /** Uploads a CSK to the MCX server. */
  async bind(): Promise<void> {
    const { running, folder } = this.#world;
    const mcx = running.mcx!;
    const { endpoint } = await this.#open();
    this.#mcx ??= createMcxClient({
      userUri: this.uri,
      mcxUri: mcx.uri,
      sipUri: mcx.sip.udp!,
      endpoint,
      keys: this.#keys!.current,
      token: () => mcxDevelopmentToken(folder, this.uri, TOKEN_LIFETIME),
      groupKeys: (group) => ringKeys(this.#ring!, group),
      openPort: async (group) => this.#tapped(await mediaPort(HOST, group)),
      clock: systemClock,
      now: Date.now,
      random: systemRandom,
      onEvent: (event) => {
        if (event.type !== "data") return;
        for (const { contentType, data } of event.payloads) {
          if (contentType === PAYLOAD_CONTENT_TYPES.TEXT) this.texts.push(fromUtf8(data));
        }
      },
    });
    await this.#mcx.bind();
  }

  async join(group: string): Promise<void> {
    const heard = new Set<string | undefined>();
    this.#heard.set(group, heard);
    this.#call = await this.#mcx!.call(group, {
      onEvent: (event) => {
        if (event.type === "talker") heard.add(event.user);
      },
    });
  }

  async hangUp(): Promise<void> {
    await this.#call?.hangUp();
    this.#call = undefined;
  }

  /** The users whose media came in the last call of the group, by their GUK-IDs; undefined stands for an unknown talker. */
  talkers(group: string): (string | undefined)[] {
    return [...(this.#heard.get(group) ?? [])];
  }

  async takeFloor(step: Pick<Work, "signal">): Promise<void> {
    const { call } = this.#call!;
    await until(() => {
      const { state } = call.floor;
      // Where the server's answers were lost or late, the floor is asked for again.
      if (state === "idle" || state === "taken") call.request();
      return state === "granted";
    }, step);
  }

  async release(): Promise<void> {
    this.#call?.call.release();
  }

  /** Nothing when the floor was taken away. */
  async say(frame: Int16Array, isAfterPause: boolean): Promise<void> {
    const { call } = this.#call!;
    if (call.floor.state !== "granted") return;
    if (isAfterPause) call.pause();
    await call.send(frame);
  }

  play(): Int16Array | undefined {
    return this.#call?.call.play();
  }

  async sendText(group: string, text: string): Promise<void> {
    await this.#mcx!.send(group, [{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8(text) }]);
  }

  /** Hands on what comes in at its sockets, as it comes. */
  tap(take: (packet: Uint8Array) => void): void {
    this.#tap = take;
  }

  /** Tries all keys that it has. */
  overhear(packet: Uint8Array): void {
    const ring = this.#ring!;
    const keys = { sending: () => undefined, receiving: (gmkId: KeyId) => ring.key(gmkId)?.key };
    this.#spy ??= new GroupMedia({ keys, service: "mcptt" });
    this.#tried.push(Promise.resolve(this.#spy.receive(packet)).then(({ ok }) => ok));
  }

  /** Packets that it tried its keys on. */
  get overheard(): number {
    return this.#tried.length;
  }

  /** Returns how many of them it could open. */
  async opened(): Promise<number> {
    return (await Promise.all(this.#tried)).filter((ok) => ok).length;
  }

  async #open(): Promise<ClientEndpoint> {
    this.#endpoint ??= await clientEndpoint(sipServer(this.#world.running.sip.udp!, "SIP"));
    return this.#endpoint;
  }

  #tapped(port: DatagramPort): DatagramPort {
    return {
      ...port,
      receive: (handler) =>
        port.receive((bytes, from) => {
          this.#tap?.(bytes);
          handler(bytes, from);
        }),
    };
  }

  /** State of the key in the ring; undefined when it is not there. */
  stateOf(gmkId: KeyId): string | undefined {
    return this.#ring?.key(gmkId)?.state;
  }

  /** Returns whether the key that is there is this one. */
  hasKey(gmkId: KeyId, key: Uint8Array): boolean {
    const own = this.reveal(gmkId);
    if (own === undefined) return false;
    const same = own.every((octet, i) => octet === key[i]);
    wipe(own);
    return same;
  }

  /** A copy of the key, which the caller wipes. */
  reveal(gmkId: KeyId): Uint8Array | undefined {
    return this.#ring?.key(gmkId)?.key?.reveal();
  }

  async close(): Promise<void> {
    await this.hangUp();
    await this.#mcx?.close();
    await this.#client?.stop();
    await this.#endpoint?.endpoint.close();
    this.#ring?.close();
    await this.#keys?.stop();
    await this.#https?.close();
  }

  /** The same without a word to servers, which may not answer any more. */
  async abandon(): Promise<void> {
    await this.#endpoint?.endpoint.close();
    const rest = [
      () => this.hangUp(),
      () => this.#mcx?.close(),
      () => this.#client?.stop(),
      () => this.#ring?.close(),
      () => this.#keys?.stop(),
      () => this.#https?.close(),
    ];
    for (const end of rest) await Promise.resolve(end()).catch(() => undefined);
  }
}
