/** A user on the command line: identity keys, the key of a group if one is asked for, and a client of the MCX server. */

import { pause } from "../../base/deadline.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import { load } from "../../bindings/core/core.ts";
import type { Tolerance } from "../../bindings/index.ts";
import type { GroupMediaKeys } from "../../bindings/media/index.ts";
import type { SpeechCodec } from "../../roles/call/speech-codec.ts";
import { ringKeys } from "../../roles/client/calls/index.ts";
import {
  createMcxClient,
  type McxClient,
  type McxClientEvent,
  type OnPrivateCall,
} from "../../roles/client/mcx/index.ts";
import { createGroupClient, GroupKeyRing } from "../../roles/group-keys/index.ts";
import { MemoryStorage } from "../../roles/identity/index.ts";
import type { DatagramAddress, DatagramPort } from "../../transport/datagram/ports.ts";
import { openUdpPort } from "../../transport/datagram/udp-node.ts";
import { systemClock } from "../../transport/sip/index.ts";
import { httpsFetch, readCa } from "../server/https.ts";
import { imsEndpoint } from "./ims.ts";
import type { ImsPlace } from "./ims-options.ts";
import { provisionedKeys } from "./keys.ts";
import type { KnownServers } from "./known-servers.ts";
import { addressTowards, clientEndpoint, type SipServer } from "./sip.ts";

export interface McxPlace {
  readonly uri: string;
  readonly sip: SipServer;
}

export interface McxUserOptions {
  readonly userUri: string;
  /** Requests to the MCX server go by way of its core. */
  readonly ims?: ImsPlace;
  readonly tolerance: Tolerance;
  /** The formats of speech that calls offer; G.711 when absent. */
  readonly codecs?: readonly SpeechCodec[];
  readonly place: KnownServers;
  readonly mcx: McxPlace;
  /** The URL at which files are uploaded and fetched; no part is taken in file distribution when absent. */
  readonly filesUrl?: string;
  readonly kmsToken: () => Promise<string>;
  readonly gmsToken: () => Promise<string>;
  readonly mcxToken: () => Promise<string>;
  /** Whether private calls are taken; none is when absent. */
  readonly onPrivateCall?: OnPrivateCall;
  /** Says what is waited for. */
  readonly note: (text: string) => void;
  readonly onEvent: (event: McxClientEvent) => void;
}

export interface McxMemberOptions extends McxUserOptions {
  readonly groupUri: string;
  /** Milliseconds that the group key may take. */
  readonly patienceMs: number;
}

export interface McxUser {
  readonly client: McxClient;
  close(): Promise<void>;
}

export interface McxMember extends McxUser {
  readonly keys: GroupMediaKeys;
}

/** The sources of the group keys, and what the command closes at its end. */
interface Parts {
  readonly keys: Awaited<ReturnType<typeof provisionedKeys>>;
  readonly storage: MemoryStorage;
  readonly fetch: Awaited<ReturnType<typeof httpsFetch>>["fetch"];
  readonly closers: (() => unknown)[];
}

const LOOK_MS = 2000;
const SETTLED_MS = 1000;
/** The key of a member is mostly there before. */
const TELL_MS = 1000;

const NO_KEYS: GroupMediaKeys = { sending: () => undefined, receiving: () => undefined };

/** Bound at the server, without keys of groups. */
export async function openMcxUser(options: McxUserOptions): Promise<McxUser> {
  return openWith(options, async () => () => NO_KEYS);
}

/** Bound at the server, with a key of the group. @throws {MikeySakkeError} transport `NO_GROUP_KEY`, `KEY_PENDING` */
export async function openMcxMember(options: McxMemberOptions): Promise<McxMember> {
  let keys = NO_KEYS;
  const user = await openWith(options, async (parts) => {
    const ring = await ringOf(options, parts);
    keys = ringKeys(ring, options.groupUri);
    return (of) => ringKeys(ring, of);
  });
  return { ...user, keys };
}

/** The keys of a group, once there is one. */
async function ringOf(
  options: McxMemberOptions,
  { keys, storage, fetch, closers }: Parts,
): Promise<GroupKeyRing> {
  const { userUri, groupUri, place } = options;
  const ring = await GroupKeyRing.open(storage, { userUri, now: Date.now });
  closers.push(() => ring.close());
  const group = createGroupClient({
    userUri,
    tolerance: options.tolerance,
    keys: keys.current,
    ring,
    gms: { uri: place.gmsUri, ...defined({ xcapRoot: place.xcapRoot, kmsUri: place.gmsKmsUri }) },
    groups: [groupUri],
    // Keys of other groups are none of this command's business.
    gktpTree: "group",
    way: "http",
    fetch,
    pollMs: LOOK_MS,
    token: options.gmsToken,
    now: Date.now,
    random: systemRandom,
  });
  group.start();
  closers.push(() => group.stop());
  await keyOf(ring, options);
  return ring;
}

async function openWith(
  options: McxUserOptions,
  groupKeysOf: (parts: Parts) => Promise<(groupUri: string) => GroupMediaKeys>,
): Promise<McxUser> {
  const { userUri, place, mcx, onEvent, onPrivateCall, tolerance } = options;
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
    const files = options.filesUrl === undefined ? undefined : { url: options.filesUrl, fetch };
    const groupKeys = await groupKeysOf({ keys, storage, fetch, closers });
    const ca = place.ca === undefined ? undefined : await readCa(place.ca);
    const { ims } = options;
    const sip = ims === undefined ? await directly(mcx.sip, ca) : await imsEndpoint(ims, ca, options.note);
    closers.push(sip.close);
    const host = await addressTowards(mcx.sip.host, mcx.sip.port);
    const client = createMcxClient({
      userUri,
      ...defined({ ims }),
      mcxUri: mcx.uri,
      // The core knows the way to the public service identity.
      sipUri: ims === undefined ? mcx.sip.uri : mcx.uri,
      endpoint: sip.endpoint,
      keys: keys.current,
      token: options.mcxToken,
      groupKeys,
      ...defined({ onPrivateCall }),
      tolerance,
      ...defined({ codecs: options.codecs, files }),
      openPort: (to) => mediaPort(host, to),
      clock: systemClock,
      now: Date.now,
      random: systemRandom,
      onEvent,
    });
    closers.push(() => client.close());
    await client.bind();
    return { client, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function directly(server: SipServer, ca: string | undefined) {
  const { endpoint } = await clientEndpoint(server, ca);
  return { endpoint, close: () => endpoint.close() };
}

/** Octets: the packets of a picture come all at once. */
const RECEIVE_BUFFER = 1 << 20;

/** A socket for media: of this host, or of a multicast group that is heard there. */
export function mediaPort(host: string, group?: DatagramAddress): Promise<DatagramPort> {
  if (group === undefined) return openUdpPort({ host, receiveBuffer: RECEIVE_BUFFER });
  return openUdpPort({ ...group, multicast: { interface: host, join: group.host } });
}

async function keyOf(ring: GroupKeyRing, options: McxMemberOptions): Promise<void> {
  const { userUri, groupUri, patienceMs, note } = options;
  const seconds = patienceMs / 1000;
  const started = performance.now();
  let isTold = false;
  let pendingSince: number | undefined;
  while (ring.current(groupUri) === undefined) {
    const waited = performance.now() - started;
    if (waited > patienceMs) {
      const text = `no key of ${groupUri} has come for ${userUri} within ${seconds} s`;
      throw new MikeySakkeError("transport", "NO_GROUP_KEY", text);
    }
    const pending = ring.keys(groupUri).find(({ state }) => state === "pending");
    pendingSince = pending && (pendingSince ?? waited);
    // The events of one document come one after the other.
    if (pending !== undefined && waited - pendingSince! > SETTLED_MS) {
      const text = `the key of ${groupUri} is pending until ${new Date(pending.activation).toISOString()}`;
      throw new MikeySakkeError("transport", "KEY_PENDING", text);
    }
    if (waited > TELL_MS && !isTold) {
      isTold = true;
      note(`waiting for a key of ${groupUri}, for ${seconds} s at most`);
    }
    await pause(50);
  }
}
