/** A small GMS on a network in memory: it sends the diffs that a test gives it, and keeps the answers. */
import { utf8 } from "../../../base/bytes.ts";
import {
  type GktpPatch,
  gktpUserPath,
  groupDocumentPath,
  MEDIA,
  writeXcapDiff,
  type XcapDiffDocument,
} from "../../../documents/group-xml/index.ts";
import {
  createGroupClient,
  type GroupClient,
  type GroupClientEvent,
  type GroupClientOptions,
  GroupKeyRing,
} from "../../../roles/group-keys/index.ts";
import { MemoryStorage, type SecretStorage } from "../../../roles/identity/index.ts";
import {
  createSipEndpoint,
  type Decision,
  type NotifierEnd,
  type NotifierSubscription,
  type NotifyResult,
  type SipEndpoint,
  type SipRequest,
  type SipTransport,
  type StateContent,
} from "../../../transport/sip/index.ts";
import { CLIENT, random, SERVER } from "../../sip/support/endpoints.ts";
import { Network } from "../../sip/support/network.ts";
import { VirtualClock } from "../../support/clock.ts";
import { seededRandom } from "../../support/random.ts";
import { ALICE, GMS, GROUP, type GroupWorld, HOME_KMS, NOW } from "./device.ts";

export const XCAP_ROOT = "https://gms.home.example/xcap";
export const GKTP = gktpUserPath(ALICE);
export const GROUP_DOCUMENT = groupDocumentPath(GROUP);

export const adding = (...messages: readonly Uint8Array[]): GktpPatch[] =>
  messages.map((octets) => ({ add: { id: ALICE, octets } }));

/** The GKTP document from the empty one to this version. */
export const initial = (etag: string, ...messages: readonly Uint8Array[]): XcapDiffDocument => ({
  sel: GKTP,
  newEtag: etag,
  previousEtag: "0",
  patches: adding(...messages),
});

export const listed: XcapDiffDocument = { sel: GROUP_DOCUMENT, newEtag: "1" };

export class TestGms {
  /** Begins a minute after the first T. */
  readonly clock = new VirtualClock(NOW + 60_000);
  readonly network = new Network(this.clock);
  readonly world: GroupWorld;
  readonly endpoint: SipEndpoint;
  readonly client: SipEndpoint;
  readonly cut: () => void;
  readonly events: GroupClientEvent[] = [];
  readonly subscribes: SipRequest[] = [];
  readonly ends: NotifierEnd[] = [];
  /** Answers to the NOTIFYs that follow a SUBSCRIBE. */
  readonly results: NotifyResult[] = [];
  subscription: NotifierSubscription | undefined;
  /** Makes the content of the NOTIFY that follows a SUBSCRIBE. */
  current: () => StateContent = () => diff([listed]);
  decide: (request: SipRequest) => Decision = () => ({ state: "active" });
  storage: SecretStorage = new MemoryStorage();
  ring!: GroupKeyRing;
  group!: GroupClient;
  token = "token-1";
  #transport: SipTransport & { cut(): void };

  constructor(world: GroupWorld) {
    this.world = world;
    const { clock, network } = this;
    this.#transport = network.stream("TCP", CLIENT, false);
    this.cut = () => this.#transport.cut();
    this.client = createSipEndpoint({ transports: [this.#transport], clock, random, user: "alice" });
    this.endpoint = createSipEndpoint({ transports: [network.stream("TCP", SERVER)], clock, random });
    this.endpoint.notifier({
      package: "xcap-diff",
      onSubscribe: (subscription, { request }) => {
        this.subscribes.push(request);
        const decision = this.decide(request);
        if ("state" in decision) this.subscription = subscription;
        return decision;
      },
      current: () => ({ ...this.current(), answered: (result) => void this.results.push(result) }),
      onEnd: (_, end) => this.ends.push(end),
    });
  }

  static async create(world: GroupWorld): Promise<TestGms> {
    const gms = new TestGms(world);
    await gms.client.start();
    await gms.endpoint.start();
    return gms;
  }

  now = (): number => this.clock.now();

  async start(options: Partial<GroupClientOptions> = {}): Promise<void> {
    this.ring = await GroupKeyRing.open(this.storage, { userUri: ALICE, now: this.now });
    this.group = createGroupClient({
      userUri: ALICE,
      keys: () => this.world.alice,
      ring: this.ring,
      gms: { uri: GMS, kmsUri: HOME_KMS, sipUri: "sip:gms@10.0.0.2;transport=tcp", xcapRoot: XCAP_ROOT },
      groups: [GROUP],
      way: "sip",
      sip: this.client,
      token: async () => this.token,
      now: this.now,
      clock: this.clock,
      random: seededRandom("client"),
      onEvent: (event) => this.events.push(event),
      ...options,
    });
    this.group.start();
    await this.pass(50);
  }

  /** Lets virtual time pass, and everything that it sets going come to its end. */
  async pass(milliseconds: number): Promise<void> {
    const step = Math.max(10, milliseconds / 20);
    for (let left = milliseconds; left > 0; left -= step) {
      await this.clock.pass(Math.min(step, left));
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async stop(): Promise<void> {
    const stopped = this.group.stop();
    await this.pass(50);
    await stopped;
  }

  /** Sends a NOTIFY, and gives the answer. */
  async notify(documents: readonly XcapDiffDocument[] | StateContent): Promise<NotifyResult> {
    const content = Array.isArray(documents) ? diff(documents) : (documents as StateContent);
    let result: NotifyResult | undefined;
    void this.subscription!.notify(content).then((answer) => {
      result = answer;
    });
    for (let i = 0; i < 20 && result === undefined; i++) await this.pass(5);
    return result ?? { status: 0, reason: "no answer yet", warnings: [] };
  }

  /** Outcomes of all messages so far, then forgets them. */
  outcomes(): string[] {
    const taken = this.events.splice(0).filter((event) => event.type === "message");
    return taken.map(({ taken: t }) => (t.outcome === "refused" ? t.error.code : t.outcome));
  }

  types(): string[] {
    return this.events.map(({ type }) => type);
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.endpoint.close();
    this.ring?.close();
  }
}

export function diff(documents: readonly XcapDiffDocument[]): StateContent {
  return { contentType: MEDIA.xcapDiff, body: utf8(writeXcapDiff({ xcapRoot: XCAP_ROOT, documents })) };
}
