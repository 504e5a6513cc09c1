/** One member of the demo's group: its own keys, key ring and sockets. */
import type { Core } from "../../bindings/core.ts";
import { type KeyId, systemRandom, wipe } from "../../bindings/index.ts";
import { createGroupClient, type GroupClient, GroupKeyRing } from "../../roles/client/group/index.ts";
import { MemoryStorage, type SecretStorage } from "../../roles/client/index.ts";
import { type ProvisionedKeys, provisionedKeys } from "../client/keys.ts";
import { type ClientEndpoint, clientEndpoint, sipServer } from "../client/sip.ts";
import { clientTokens } from "../client/tokens.ts";
import type { Running } from "../gms/running-file.ts";
import { type HttpsFetch, httpsFetch } from "../kms/https.ts";

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

  constructor(uri: string, way: Way, world: MemberWorld) {
    this.uri = uri;
    this.way = way;
    this.#world = world;
  }

  /** Gets the keys of the identity from the KMS. */
  async provision(): Promise<void> {
    const { core, running, folder } = this.#world;
    this.#https = await httpsFetch(running.ca);
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
  async connect(group: string): Promise<void> {
    const { running, folder } = this.#world;
    const isSip = this.way === "sip";
    if (isSip) this.#endpoint = await clientEndpoint(sipServer(running.sip.udp!, "SIP"));
    const endpoint = this.#endpoint;
    this.#client = createGroupClient({
      userUri: this.uri,
      keys: this.#keys!.current,
      ring: this.#ring!,
      gms: {
        uri: running.gmsUri,
        ...(endpoint === undefined ? { xcapRoot: running.xcapRoot } : { sipUri: endpoint.uri }),
      },
      groups: [group],
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

  /** State of the key in the ring; undefined when it is not there. */
  stateOf(gmkId: KeyId): string | undefined {
    return this.#ring?.key(gmkId)?.state;
  }

  /** Whether the key that is there is this one. */
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
    await this.#client?.stop();
    await this.#endpoint?.endpoint.close();
    this.#ring?.close();
    await this.#keys?.stop();
    await this.#https?.close();
  }
}
