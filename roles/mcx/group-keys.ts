/**
 * Group keys that the GMS gives to the server (TS 33.180 4.3.5.2): it is a member of those groups, of kind "mcx-server",
 * and takes its messages as a client does. The media of groups whose key it is not given it can only distribute.
 */

import type { RandomSource } from "../../base/random.ts";
import type { Tolerance } from "../../bindings/index.ts";
import type { GroupMediaKeys } from "../../bindings/media/index.ts";
import type { Clock } from "../../transport/sip/index.ts";
import { ringKeys } from "../call/ring-keys.ts";
import { createGroupClient, type GmsAddress, type GroupClient, GroupKeyRing } from "../group-keys/index.ts";
import type { XcapFetch } from "../group-keys/xcap-client.ts";
import type { ClientKeys, SecretStorage } from "../identity/index.ts";

export interface ServerGroupKeysOptions {
  /** Identity of the server. */
  readonly mcxUri: string;
  readonly gms: Required<Pick<GmsAddress, "uri" | "xcapRoot">>;
  readonly keys: () => ClientKeys;
  readonly storage: SecretStorage;
  readonly fetch: XcapFetch;
  readonly token: () => Promise<string>;
  /** Milliseconds between two looks. */
  readonly pollMs: number;
  readonly now: () => number;
  readonly tolerance: Tolerance;
  readonly random: RandomSource;
  readonly clock: Clock;
}

export class ServerGroupKeys {
  readonly #ring: GroupKeyRing;
  readonly #client: GroupClient;

  private constructor(ring: GroupKeyRing, client: GroupClient) {
    this.#ring = ring;
    this.#client = client;
  }

  static async open(options: ServerGroupKeysOptions): Promise<ServerGroupKeys> {
    const { mcxUri, gms, storage, now } = options;
    const ring = await GroupKeyRing.open(storage, { userUri: mcxUri, now });
    const client = createGroupClient({ ...options, userUri: mcxUri, ring, gms, groups: "all", way: "http" });
    return new ServerGroupKeys(ring, client);
  }

  start(): void {
    this.#client.start();
  }

  async close(): Promise<void> {
    await this.#client.stop();
    this.#ring.close();
  }

  /** Keys of a group that the server holds one of; undefined: none. */
  of(groupUri: string): GroupMediaKeys | undefined {
    return this.#ring.current(groupUri) === undefined ? undefined : ringKeys(this.#ring, groupUri);
  }

  /** Calls back when the keys of the groups have changed. */
  onChange(listener: (groups: readonly string[]) => void): () => void {
    return this.#ring.onChange(({ key }) => listener(key.groups));
  }
}
