/** `client run`: an MC client that gets its keys from a KMS and the keys of its groups from a GMS. */

import { defined } from "../../base/defined.ts";
import { systemRandom } from "../../base/random.ts";
import { load } from "../../bindings/core/core.ts";
import type { Tolerance } from "../../bindings/index.ts";
import { createGroupClient, type GroupClientEvent, GroupKeyRing } from "../../roles/group-keys/index.ts";
import { FileStorage, openStorageKeyFile } from "../../roles/identity/file-storage-node.ts";
import type { TransportKeys } from "../../roles/identity/index.ts";
import { MemoryStorage, SealedStorage, type SecretStorage } from "../../roles/identity/index.ts";
import { httpsFetch, readCa } from "../server/https.ts";
import { listenForStop } from "../server/stop.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import type { Output } from "../terminal/output.ts";
import { eventJson, eventLine, keyJson, keyLine } from "./events.ts";
import { imsEndpoint } from "./ims.ts";
import type { ImsPlace } from "./ims-options.ts";
import { provisionedKeys } from "./keys.ts";
import type { KnownServers } from "./known-servers.ts";
import { Once } from "./once.ts";
import { type ClientEndpoint, clientEndpoint } from "./sip.ts";

export interface ClientOptions {
  readonly userUri: string;
  /** The subscription goes by way of its core. */
  readonly ims?: ImsPlace;
  readonly tolerance: Tolerance;
  readonly place: KnownServers;
  readonly way: "sip" | "http";
  /** All that the user is a member of when empty. */
  readonly groups: readonly string[];
  readonly kmsToken: () => Promise<string>;
  readonly gmsToken: () => Promise<string>;
  readonly protection: TransportKeys;
  /** Folder of sealed storage, and the file of its key. */
  readonly store?: { readonly folder: string; readonly keyFile: string };
  readonly pollMs?: number;
  /** Ends when the keys of all groups are there, or refused after so many milliseconds. */
  readonly onceWithinMs?: number;
}

/** Where the subscription was refused for good, it is tried again after so long. */
const AGAIN_MS = 60_000;

export async function runClient(options: ClientOptions, output: Output): Promise<ExitStatus> {
  const { userUri, place, way, groups, pollMs } = options;
  const closers: (() => unknown)[] = [];
  const stop = listenForStop();
  closers.push(stop.release);
  try {
    const storage = await storageOf(options);
    const core = await load();
    closers.push(() => core.destroy());
    const { fetch, close } = await httpsFetch(place.ca);
    closers.push(close);
    const keys = await provisionedKeys({
      ...place,
      userUri,
      token: options.kmsToken,
      fetch,
      storage,
      core,
      protection: options.protection,
      onEvent: (event) => {
        if (event.type === "failed" || event.type === "rejected") output.note(`KMS: ${String(event.error)}`);
      },
    });
    closers.push(() => keys.stop());
    const ring = await GroupKeyRing.open(storage, { userUri, now: Date.now });
    closers.push(() => ring.close());
    const sip = await endpointOf(options, (text) => output.note(text));
    if (sip !== undefined) closers.push(sip.close);
    const once = new Once(ring, groups);
    let again: ReturnType<typeof setTimeout> | undefined;
    closers.push(() => clearTimeout(again));
    const client = createGroupClient({
      userUri,
      ...defined({ ims: options.ims }),
      tolerance: options.tolerance,
      keys: keys.current,
      ring,
      gms: {
        uri: place.gmsUri,
        ...defined({ sipUri: sip?.uri, xcapRoot: place.xcapRoot, kmsUri: place.gmsKmsUri }),
      },
      groups: groups.length === 0 ? "all" : groups,
      // Keys of other groups are not asked for, so that none of them is refused.
      ...(groups.length > 0 && way === "http" && { gktpTree: "group" as const }),
      way,
      ...defined({ sip: sip?.endpoint }),
      ...(place.xcapRoot !== undefined && { fetch }),
      ...defined({ pollMs }),
      token: options.gmsToken,
      now: Date.now,
      random: systemRandom,
      onEvent(event) {
        say(output, event);
        once.look(event);
        if (event.type === "subscription-lost" && event.retryAt === undefined) {
          clearTimeout(again);
          again = setTimeout(() => void client.refresh().catch(() => undefined), AGAIN_MS);
        }
      },
    });
    output.ready({ event: "started", user: userUri, kmsUri: keys.kmsUri, gmsUri: place.gmsUri, way }, () => [
      `${userUri}, keyed by ${keys.kmsUri}, over ${way} at ${sip?.uri ?? place.xcapRoot}`,
      ...ring.keys().map(keyLine),
    ]);
    client.start();
    closers.push(() => client.stop());
    return await ended(options, once, stop.stopped, output);
  } finally {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  }
}

async function ended(
  { onceWithinMs }: ClientOptions,
  once: Once,
  stopped: Promise<string>,
  output: Output,
): Promise<ExitStatus> {
  if (onceWithinMs === undefined) {
    await stopped;
    return EXIT.accepted;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), onceWithinMs);
  });
  const end = await Promise.race([once.complete, late, stopped]).finally(() => clearTimeout(timer));
  const keys = once.keys();
  const complete = end === "complete";
  const groups = once.groups();
  const pending = [...once.pending()].map(
    ([group, at]) => `${group}: pending until ${new Date(at).toISOString()}`,
  );
  output.ready({ event: "ended", complete, groups, missing: once.missing(), keys: keys.map(keyJson) }, () => [
    ...pending,
    complete
      ? `keys of all groups are there: ${groups.length}`
      : `no key of ${once.missing().join(", ") || "any group"}`,
  ]);
  return complete ? EXIT.accepted : EXIT.refused;
}

function say(output: Output, event: GroupClientEvent): void {
  const line = eventLine(event);
  if (line !== undefined) output.ready(eventJson(event), () => [line]);
}

interface OpenEndpoint extends ClientEndpoint {
  close(): Promise<void>;
}

/** In an IMS the Request-URI is the public service identity of the GMS. */
async function endpointOf(
  { place: { sip, ca, gmsUri }, way, ims }: ClientOptions,
  note: (text: string) => void,
): Promise<OpenEndpoint | undefined> {
  if (way === "http" || (sip === undefined && ims === undefined)) return undefined;
  const pem = ca === undefined ? undefined : await readCa(ca);
  if (ims !== undefined) return { ...(await imsEndpoint(ims, pem, note)), uri: gmsUri };
  const direct = await clientEndpoint(sip!, pem);
  return { ...direct, close: () => direct.endpoint.close() };
}

/** Storage for this run only, unless a folder was given. */
async function storageOf({ store }: ClientOptions): Promise<SecretStorage> {
  if (store === undefined) return new MemoryStorage();
  return new SealedStorage(await FileStorage.open(store.folder), await openStorageKeyFile(store.keyFile));
}
