/** A member on the command line: identity keys, the key of a group, and a client of the MCX server. */
import { load } from "../../bindings/core.ts";
import type { GroupMediaKeys } from "../../bindings/media/index.ts";
import { systemRandom } from "../../bindings/random.ts";
import { createGroupClient, GroupKeyRing } from "../../roles/client/group/index.ts";
import { MemoryStorage } from "../../roles/client/index.ts";
import { createMcxClient, type McxClient, type McxClientEvent } from "../../roles/client/mcx/index.ts";
import { ringKeys } from "../../roles/client/media/index.ts";
import type { DatagramAddress, DatagramPort } from "../../transport/datagram/ports.ts";
import { openUdpPort } from "../../transport/datagram/udp-node.ts";
import { systemClock } from "../../transport/sip/index.ts";
import { provisionedKeys } from "../client/keys.ts";
import type { Place } from "../client/place.ts";
import { addressTowards, clientEndpoint, type SipServer } from "../client/sip.ts";
import { httpsFetch, readCa } from "../kms/https.ts";
import { usageError } from "../usage.ts";

export interface McxPlace {
  readonly uri: string;
  readonly sip: SipServer;
}

export interface McxMemberOptions {
  readonly userUri: string;
  readonly groupUri: string;
  /** `xcapRoot` is used. */
  readonly place: Place;
  readonly mcx: McxPlace;
  readonly kmsToken: () => Promise<string>;
  readonly gmsToken: () => Promise<string>;
  readonly mcxToken: () => Promise<string>;
  /** Milliseconds that the group key may take. */
  readonly patienceMs: number;
  readonly onEvent: (event: McxClientEvent) => void;
}

export interface McxMember {
  readonly client: McxClient;
  readonly keys: GroupMediaKeys;
  close(): Promise<void>;
}

const LOOK_MS = 2000;

/** Bound at the server, with a key of the group. Usage error NO_GROUP_KEY. */
export async function openMcxMember(options: McxMemberOptions): Promise<McxMember> {
  const { userUri, groupUri, place, mcx, onEvent } = options;
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  };
  try {
    const core = await load();
    closers.push(() => core.destroy());
    const https = await httpsFetch(place.ca);
    closers.push(https.close);
    const storage = new MemoryStorage();
    const { fetch } = https;
    const keys = await provisionedKeys({ ...place, userUri, token: options.kmsToken, fetch, storage, core });
    closers.push(() => keys.stop());
    const ring = await GroupKeyRing.open(storage, { userUri, now: Date.now });
    closers.push(() => ring.close());
    const group = createGroupClient({
      userUri,
      keys: keys.current,
      ring,
      gms: { uri: place.gmsUri, ...(place.xcapRoot !== undefined && { xcapRoot: place.xcapRoot }) },
      groups: [groupUri],
      way: "http",
      fetch,
      pollMs: LOOK_MS,
      token: options.gmsToken,
      now: Date.now,
      random: systemRandom,
    });
    group.start();
    closers.push(() => group.stop());
    await keyOf(ring, groupUri, options.patienceMs);
    const ca = place.ca === undefined ? undefined : await readCa(place.ca);
    const { endpoint, uri } = await clientEndpoint(mcx.sip, ca);
    closers.push(() => endpoint.close());
    const host = await addressTowards(mcx.sip.host, mcx.sip.port);
    const client = createMcxClient({
      userUri,
      mcxUri: mcx.uri,
      sipUri: uri,
      endpoint,
      keys: keys.current,
      token: options.mcxToken,
      groupKeys: (of) => ringKeys(ring, of),
      openPort: (to) => mediaPort(host, to),
      clock: systemClock,
      now: Date.now,
      random: systemRandom,
      onEvent,
    });
    closers.push(() => client.close());
    await client.bind();
    return { client, keys: ringKeys(ring, groupUri), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A socket for media: of this host, or of a multicast group that is heard there. */
export function mediaPort(host: string, group?: DatagramAddress): Promise<DatagramPort> {
  if (group === undefined) return openUdpPort({ host });
  return openUdpPort({ ...group, multicast: { interface: host, join: group.host } });
}

async function keyOf(ring: GroupKeyRing, groupUri: string, patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs;
  while (ring.current(groupUri) === undefined) {
    if (performance.now() > until) {
      throw usageError("NO_GROUP_KEY", `${groupUri}: no key has come; is the user a member?`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
