/** A client of ours and `check client` on a network in memory, with seams at which the client can be made faulty. */
import type { ErrorCode } from "../../../base/errors.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { ClientPeer, checkClient, KEY_CASES } from "../../../cli/check/client/index.ts";
import type { CaseResult } from "../../../cli/check/run.ts";
import { createGroupClient, type GroupClientEvent, GroupKeyRing } from "../../../roles/group-keys/index.ts";
import {
  holdKeys,
  KeyStore,
  KmsClient,
  type KmsFetch,
  KmsTrust,
  MemoryStorage,
  type TransportKeys,
} from "../../../roles/identity/index.ts";
import { createSipEndpoint, type SipEndpoint, type SipTransport } from "../../../transport/sip/index.ts";
import { Medium } from "../../mcx/server/medium.ts";
import { CLIENT, SERVER, random as sipRandom } from "../../sip/support/endpoints.ts";
import { Network } from "../../sip/support/network.ts";
import { VirtualClock } from "../../support/clock.ts";
import { seededRandom } from "../../support/random.ts";
import { type CallFaults, startTalking } from "./talking-client.ts";

export const ALICE = "sip:alice@example.org";
const GMS = "sip:gms@example.org";
export const MCX = "sip:mcx@example.org";
export const GROUP = "sip:check@example.org";
const KMS = "kms.example.org";
const ORIGIN = "https://check.example.org:9443";
export const TOKEN = "token-of-alice";

/** Faults that are seeded into a client: each hook stands between it and the wire. */
export interface Faults {
  /** Changes a request to the KMS or to the XCAP server. */
  readonly request?: (
    init: { headers: Record<string, string>; body: string | undefined },
    url: string,
  ) => string | undefined;
  /** Changes a SIP message that the client sends; null: it is not sent. */
  readonly sip?: (text: string) => string | null;
  /** Changes a SIP message that the client gets. */
  readonly hears?: (text: string) => string;
  /** Refusals of these checks are answered with 200. */
  readonly takes?: ReadonlySet<ErrorCode>;
  /** Faults in calls. */
  readonly calls?: CallFaults;
}

export interface ClientRun {
  readonly way?: "sip" | "http";
  readonly faults?: Faults;
  /** TrK and InK that both sides have. */
  readonly protection?: TransportKeys;
  /** The client joins a call of the group, and asks for the floor again and again. */
  readonly calls?: boolean;
}

export async function runOurClient(
  core: Core,
  { way = "sip", faults = {}, protection = {}, calls = false }: ClientRun,
): Promise<CaseResult[]> {
  const clock = new VirtualClock();
  const network = new Network(clock);
  const medium = new Medium();
  const now = () => clock.now();
  const server = createSipEndpoint({ transports: [network.stream("TCP", SERVER)], clock, random: sipRandom });
  await server.start();
  const peer = new ClientPeer({
    userUri: ALICE,
    group: GROUP,
    gmsUri: GMS,
    kmsUri: KMS,
    origin: ORIGIN,
    token: TOKEN,
    protection,
    ...(way === "sip" && { endpoint: server }),
    ...(calls && { mcx: { uri: MCX, openPort: async () => medium.open(SERVER.host) } }),
    expires: 60,
    startMs: 60_000,
    stepMs: 20_000,
    core,
    random: seededRandom("check client"),
    now,
    clock,
  });
  const client = await startClient(core, { way, faults, protection, calls, clock, network, medium, peer });
  const checking = { done: false };
  const results = checkClient(peer).finally(() => {
    checking.done = true;
  });
  // Virtual time runs well ahead of the machine's, and what the machine does in it must keep up.
  while (!checking.done) {
    await clock.pass(50);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const stopped = client.stop();
  for (let i = 0; i < 40; i++) await clock.pass(100);
  await stopped;
  await server.close();
  await peer.destroy();
  return results;
}

interface Parts extends Required<ClientRun> {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly medium: Medium;
  readonly peer: ClientPeer;
}

/** A client put together as `client run` does it. */
async function startClient(
  core: Core,
  { way, faults, protection, calls, clock, network, medium, peer }: Parts,
) {
  const now = () => clock.now();
  const random = seededRandom("client under test");
  const fetch = fetchOf(peer, faults);
  const token = async () => TOKEN;
  const keys = await holdKeys({
    client: new KmsClient({
      url: ORIGIN,
      kmsUri: KMS,
      userUri: ALICE,
      fetch,
      token,
      now,
      random,
      protection: () => protection,
    }),
    store: new KeyStore(new MemoryStorage()),
    trust: new KmsTrust({ home: KMS }),
    core,
    now,
    random,
    timers: clock,
  });
  const ring = await GroupKeyRing.open(new MemoryStorage(), { userUri: ALICE, now });
  const endpoint = createSipEndpoint({
    transports: [faulty(network.stream("TCP", CLIENT, false), faults)],
    clock,
    random: sipRandom,
    user: "alice",
  });
  await endpoint.start();
  const refused: ErrorCode[] = [];
  const group = createGroupClient({
    userUri: ALICE,
    keys: () => keys.current(),
    ring,
    gms: { uri: GMS, kmsUri: KMS, sipUri: "sip:10.0.0.2;transport=tcp", xcapRoot: `${ORIGIN}/xcap` },
    groups: [GROUP],
    way,
    ...(way === "sip" ? { sip: taking(endpoint, refused, faults) } : { fetch: fetch as never, pollMs: 3000 }),
    token,
    now,
    clock,
    random,
    onEvent(event: GroupClientEvent) {
      if (event.type === "message" && event.taken.outcome === "refused") refused.push(event.taken.error.code);
    },
  });
  group.start();
  const talking = calls
    ? startTalking({
        userUri: ALICE,
        mcxUri: MCX,
        groupUri: GROUP,
        sipUri: "sip:10.0.0.2;transport=tcp",
        endpoint,
        keys: () => keys.current(),
        token,
        ring,
        openPort: async () => medium.open(CLIENT.host),
        clock,
        random,
        peer,
        faults: faults.calls ?? {},
      })
    : undefined;
  return {
    async stop() {
      await talking?.stop();
      await group.stop();
      await endpoint.close();
      ring.close();
      await keys.close();
    },
  };
}

function fetchOf(peer: ClientPeer, { request }: Faults): KmsFetch {
  return async (url, init) => {
    const sent = { headers: { ...init.headers }, body: init.body };
    const changed = new URL(request?.(sent, url) ?? url);
    const answer = await peer.http({
      method: init.method,
      path: changed.pathname + changed.search,
      header: (name) => Object.entries(sent.headers).find(([key]) => key.toLowerCase() === name)?.[1],
      body: new TextEncoder().encode(sent.body ?? ""),
    });
    const hasBody = answer.status !== 204 && answer.status !== 304;
    return new Response(hasBody ? (answer.body ?? "") : null, {
      status: answer.status,
      headers: { ...answer.headers },
    });
  };
}

function faulty(
  transport: SipTransport,
  { sip = (text) => text, hears = (text) => text }: Faults,
): SipTransport {
  return {
    ...transport,
    start: (events) =>
      transport.start({
        ...events,
        message: (bytes, flow) =>
          events.message(
            new Uint8Array(Buffer.from(hears(Buffer.from(bytes).toString("latin1")), "latin1")),
            flow,
          ),
      }),
    async connect(remote, ...rest) {
      const flow = await transport.connect(remote, ...rest);
      const send = flow.send.bind(flow);
      flow.send = async (bytes) => {
        const text = sip(Buffer.from(bytes).toString("latin1"));
        if (text !== null) await send(new Uint8Array(Buffer.from(text, "latin1")));
      };
      return flow;
    },
  };
}

function taking(endpoint: SipEndpoint, refused: ErrorCode[], { takes }: Faults): SipEndpoint {
  if (takes === undefined) return endpoint;
  return {
    ...endpoint,
    subscribe: ({ onNotify, ...options }) =>
      endpoint.subscribe({
        ...options,
        async onNotify(notify) {
          const answer = await onNotify(notify);
          // The client reports its events in a microtask of their own.
          await new Promise(setImmediate);
          const code = refused.splice(0).at(-1);
          return code !== undefined && takes.has(code) ? { status: 200 } : answer;
        },
      }),
  };
}

export const CASE_IDS = KEY_CASES.map(({ id }) => id);
