/** A client of ours in a call: it asks for the floor again and again, and talks while it has it. Seams make it faulty. */
import type { RandomSource } from "../../../base/random.ts";
import { FLOOR_MESSAGES } from "../../../bindings/floor-control/index.ts";
import type { GroupMediaKeys } from "../../../bindings/media/index.ts";
import type { ClientPeer } from "../../../cli/check/client/index.ts";
import { ringKeys } from "../../../roles/call/ring-keys.ts";
import { createMcxGroupClient } from "../../../roles/client/mcx/client.ts";
import type { McxCall } from "../../../roles/client/mcx/index.ts";
import type { GroupKeyRing } from "../../../roles/group-keys/index.ts";
import type { ClientKeys } from "../../../roles/identity/index.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import type { SipEndpoint } from "../../../transport/sip/index.ts";
import type { VirtualClock } from "../../support/clock.ts";

export type PortKind = "media" | "floor";

export interface Means {
  readonly clock: VirtualClock;
  /** Sends a packet to where speech went last. */
  readonly speak: (packet: Uint8Array) => void;
}

export interface CallFaults {
  /** The group whose call is joined; that of the test when absent. */
  readonly groupUri?: string;
  /** Changes the keys that the client sends speech under. */
  readonly groupKeys?: (keys: GroupMediaKeys) => GroupMediaKeys;
  /** The packets that leave in place of one. */
  readonly sends?: (packet: Uint8Array, kind: PortKind, means: Means) => readonly Uint8Array[];
  /** The packet that the client hears in place of one; undefined: none. */
  readonly hears?: (packet: Uint8Array, kind: PortKind, peer: ClientPeer) => Promise<Uint8Array | undefined>;
}

interface TalkingOptions {
  readonly userUri: string;
  readonly mcxUri: string;
  readonly groupUri: string;
  readonly sipUri: string;
  readonly endpoint: SipEndpoint;
  readonly keys: () => ClientKeys;
  readonly token: () => Promise<string>;
  readonly ring: GroupKeyRing;
  readonly openPort: () => Promise<DatagramPort>;
  readonly clock: VirtualClock;
  readonly random: RandomSource;
  readonly peer: ClientPeer;
  readonly faults: CallFaults;
}

const FRAME_MS = 20;
/** Frames between two presses of the button. */
const REST = 50;
const BINDING_SECONDS = 60;

export function startTalking(options: TalkingOptions): { stop(): Promise<void> } {
  const { clock, ring, faults, groupUri, openPort, peer, ...rest } = options;
  let opened = 0;
  let speak: Means["speak"] = () => undefined;
  const speaks = (next: Means["speak"]) => {
    speak = next;
  };
  const means = { clock, speak: (packet: Uint8Array) => speak(packet) };
  const client = createMcxGroupClient({
    ...rest,
    clock,
    now: () => clock.now(),
    expires: BINDING_SECONDS,
    groupKeys: (uri) => {
      const keys = ringKeys(ring, uri);
      return faults.groupKeys?.(keys) ?? keys;
    },
    // The port for speech is opened first.
    openPort: async () =>
      faultyPort(await openPort(), opened++ % 2 === 0 ? "media" : "floor", { faults, peer, means, speaks }),
  });
  let placed: McxCall | undefined;
  let isStopped = false;
  let rested = 0;
  const step = () => {
    if (isStopped || placed === undefined) return;
    const { call } = placed;
    const { state } = call.floor;
    if (state === "granted") {
      // Without a key of the group nothing is said.
      Promise.resolve()
        .then(() => call.send(new Int16Array(160).fill(1000)))
        .catch(() => undefined);
    }
    if ((state === "idle" || state === "taken") && ++rested % REST === 0) call.request();
    clock.after(FRAME_MS, step);
  };
  const started = (async () => {
    await client.bind();
    placed = await client.call(faults.groupUri ?? groupUri, {
      onEnd: () => {
        placed = undefined;
      },
    });
    step();
  })().catch(() => undefined);
  return {
    async stop() {
      isStopped = true;
      await started;
      await placed?.hangUp();
      await client.close();
    },
  };
}

interface Seams {
  readonly faults: CallFaults;
  readonly peer: ClientPeer;
  readonly means: Means;
  readonly speaks: (speak: Means["speak"]) => void;
}

function faultyPort(
  port: DatagramPort,
  kind: PortKind,
  { faults, peer, means, speaks }: Seams,
): DatagramPort {
  const { sends = (packet: Uint8Array) => [packet], hears = async (packet: Uint8Array) => packet } = faults;
  return {
    address: port.address,
    send(packet, to, done) {
      if (kind === "media") speaks((other) => port.send(other, to, () => undefined));
      for (const one of sends(packet.slice(), kind, means)) port.send(one, to, () => undefined);
      done(false);
    },
    receive(handler) {
      port.receive((packet, from) => {
        void hears(packet, kind, peer).then((heard) => heard && handler(heard, from));
      });
    },
    close: () => port.close(),
  };
}

/** The name of a floor control message, which the header tells in clear (TS 24.380 8.2.2). */
export function floorNameOf(packet: Uint8Array): string | undefined {
  const subtype = packet[0]! & 0x0f;
  return Object.entries(FLOOR_MESSAGES).find(([, number]) => number === subtype)?.[0];
}

/** The SSRC of a packet, which stands behind four octets in SRTCP, and behind eight in SRTP. */
export function ssrcOf(packet: Uint8Array, kind: PortKind): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint32(kind === "floor" ? 4 : 8);
}
