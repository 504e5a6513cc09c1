/** A group client: keys of a user's groups from one GMS, kept current until it is stopped (TS 33.180 5.7.2). */
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import {
  gktpGroupPath,
  gktpUserCollection,
  gktpUserPath,
  groupCollection,
  groupDocumentPath,
} from "../../documents/group-xml/index.ts";
import {
  type Clock,
  type Credentials,
  KEEP_ALIVE,
  type KeepAliveOptions,
  type SipEndpoint,
  type SipResolver,
  systemClock,
} from "../../transport/sip/index.ts";
import type { ImsIdentity } from "../identity/ims.ts";
import type { ClientKeys } from "../identity/load-keys.ts";
import type { GroupClientEvent } from "./events.ts";
import { Fetcher } from "./fetcher.ts";
import type { GroupKeyRing } from "./group-key-ring.ts";
import { Inbox, type InboxOptions } from "./inbox.ts";
import { KeyWatch } from "./key-watch.ts";
import { NotifyHandler } from "./notify-handler.ts";
import { SubscriptionLoop } from "./subscription-loop.ts";
import type { GmsIdentity } from "./take-message.ts";
import { XcapClient, type XcapFetch } from "./xcap-client.ts";

export interface GmsAddress extends GmsIdentity {
  /**
   * The URIs to which to subscribe; needed with `sip`. Of several servers the best first: when one stops or falls
   * silent, the next one has the subscription within seconds. Behind a balancer, or with SRV records and a `resolver`,
   * one is enough.
   */
  readonly sipUri?: string | readonly string[];
  /** XCAP root URI; needed with `fetch`. */
  readonly xcapRoot?: string;
}

export interface GroupClientOptions extends Pick<InboxOptions, "periodOverlap" | "tolerance"> {
  /** MC service user ID: XUI, and From outside of an IMS, and the identity that keys are for. */
  readonly userUri: string;
  /** The IMS that the client is registered in: then From is its identity there, and the token is in the body only. */
  readonly ims?: ImsIdentity;
  /** The keys of the present, as `loadKeys` gives them; asked for with every message. */
  readonly keys: () => ClientKeys;
  /** Key ring of the same user. */
  readonly ring: GroupKeyRing;
  readonly gms: GmsAddress;
  /** Groups that keys are expected of: those named, or all of which the user is a member. */
  readonly groups: readonly string[] | "all";
  /**
   * sip: keys come in NOTIFYs (5.7.2.x); with `fetch` besides, what a NOTIFY only tells of is fetched. http: keys are
   * fetched (5.7.2.y); with `sip` besides, NOTIFYs tell when, and bring revocations.
   */
  readonly way: "sip" | "http";
  /** Started by the host, and closed by it after `stop`. */
  readonly sip?: SipEndpoint;
  /** Finds the servers of a domain (RFC 3263); `dnsResolver` on Node.js. When absent, names are left to the sockets. */
  readonly resolver?: SipResolver;
  /** How often the server is asked whether it is there. `KEEP_ALIVE` when absent: noticed within 7.5 seconds. */
  readonly keepAlive?: KeepAliveOptions;
  readonly fetch?: XcapFetch;
  /** An access token for the GMS; asked for anew each time. */
  readonly token: () => Promise<string>;
  /** For challenges other than that of the GMS, as of an outbound proxy. */
  readonly credentials?: Credentials;
  /** GKTP documents per user, or per group where a GMS has only those. "user" when absent. */
  readonly gktpTree?: "user" | "group";
  /** Seconds of a subscription. 3600 when absent. */
  readonly expires?: number;
  /** Milliseconds between two looks over HTTP, about. A minute when absent, with `sip` a quarter of an hour. */
  readonly pollMs?: number;
  /** Adds a KMS Redirect Response to 488 when a KMS is not acceptable (5.2.8). False when absent. */
  readonly krrBody?: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
  /** Times the waits; the clock of the host when absent. */
  readonly clock?: Clock;
  /** Told of what happens, not within it. */
  readonly onEvent?: (event: GroupClientEvent) => void;
}

export interface GroupClient {
  readonly ring: GroupKeyRing;
  start(): void;
  /** Unsubscribes, and ends what is under way. The ring stays open. */
  stop(): Promise<void>;
  /** Asks the GMS now, also where it is not asked again by itself. Rejects when that fails. */
  refresh(): Promise<void>;
}

const MINUTE_MS = 60_000;

/** @throws {MikeySakkeError} usage `BAD_GROUP_CLIENT`: a way without what it needs */
export function createGroupClient(options: GroupClientOptions): GroupClient {
  const { ring, way, groups, sip, gms, userUri, now, random, clock = systemClock, onEvent } = options;
  requireWay(options);
  const tell = (event: GroupClientEvent) => {
    if (onEvent !== undefined) queueMicrotask(() => onEvent(event));
  };
  const common = { clock, now, random, tell };
  const inbox = new Inbox({ ...options, gms, tell });
  const byGroup = options.gktpTree === "group";
  const gktpPaths = () => (byGroup ? inbox.groups.map(gktpGroupPath) : [gktpUserPath(userUri)]);
  const fetcher = makeFetcher(options, { ...common, inbox, gktpPaths });
  const resources = () => {
    const documents = groups === "all" ? [groupCollection()] : groups.map(groupDocumentPath);
    return [...(byGroup ? gktpPaths() : [gktpUserCollection(userUri)]), ...documents];
  };
  const handler = new NotifyHandler({
    userUri,
    inbox,
    tell,
    proposedKmsUris: () => (options.krrBody ? kmsUrisOf(options.keys()) : undefined),
    fetchSoon: fetcher && (() => fetcher.soon()),
    subscribeAnew: () => loop?.anew(),
  });
  const loop =
    sip === undefined || sipUris(gms).length === 0
      ? undefined
      : new SubscriptionLoop({
          ...options,
          ...common,
          endpoint: sip,
          sipUris: sipUris(gms),
          keepAlive: options.keepAlive ?? KEEP_ALIVE,
          onReach: (isReached) => fetcher?.standIn(!isReached),
          mode: way === "sip" ? "aggregate" : "no-patching",
          resources,
          onNotify: (notify, isFirst) => handler.handle(notify, isFirst),
        });
  const watch = new KeyWatch(ring, common);
  return {
    ring,
    start() {
      watch.start();
      fetcher?.start();
      loop?.start();
    },
    async stop() {
      watch.stop();
      await Promise.all([fetcher?.stop(), loop?.stop()]);
    },
    async refresh() {
      if (way === "sip") await loop?.refresh();
      else await fetcher?.refresh();
    },
  };
}

function makeFetcher(
  { fetch, gms, token, way, sip, pollMs }: GroupClientOptions,
  parts: Omit<ConstructorParameters<typeof Fetcher>[0], "xcap" | "pollMs">,
): Fetcher | undefined {
  if (fetch === undefined || gms.xcapRoot === undefined) return undefined;
  const xcap = new XcapClient({ fetch, xcapRoot: gms.xcapRoot, token });
  const often = pollMs ?? (sip === undefined ? MINUTE_MS : 15 * MINUTE_MS);
  return new Fetcher({ ...parts, xcap, pollMs: way === "http" ? often : undefined });
}

function requireWay({ way, sip, fetch, gms, gktpTree, groups, ring, userUri }: GroupClientOptions): void {
  const missing =
    way === "sip"
      ? sip === undefined || sipUris(gms).length === 0
      : fetch === undefined || gms.xcapRoot === undefined;
  if (missing)
    throw bad(way === "sip" ? "sip and gms.sipUri are needed" : "fetch and gms.xcapRoot are needed");
  if (gktpTree === "group" && groups === "all") throw bad("documents per group need the names of the groups");
  if (ring.userUri !== userUri) throw bad("the ring is another user's");
}

function sipUris({ sipUri = [] }: GmsAddress): readonly string[] {
  return typeof sipUri === "string" ? [sipUri] : sipUri;
}

function bad(what: string): MikeySakkeError {
  return new MikeySakkeError("usage", "BAD_GROUP_CLIENT", `group client: ${what}`);
}

function kmsUrisOf({ domains, receiver }: ClientKeys): string[] {
  return [...new Set(domains.map(({ kmsUri }) => kmsUri))].filter((uri) => receiver.isKeyedBy(uri));
}
