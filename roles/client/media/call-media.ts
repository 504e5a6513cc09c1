/** The media of one call: what is said goes out to one address, what is heard comes in at one port or two. */
import { MikeySakkeError } from "../../../bindings/errors.ts";
import {
  type G711Law,
  GroupMedia,
  type GroupMediaKeys,
  type JitterBufferOptions,
  type MediaService,
} from "../../../bindings/media/index.ts";
import { andThen } from "../../../bindings/media/maybe.ts";
import type { RandomSource } from "../../../bindings/random.ts";
import { addressKey, type DatagramAddress, type DatagramPort } from "../../../transport/datagram/ports.ts";
import type { CallEvent, MediaCounters } from "./call-events.ts";
import { Claims } from "./claims.ts";
import { Identities } from "./identities.ts";
import { Listener, type Talker } from "./listener.ts";
import { VoiceSender } from "./voice-sender.ts";

export interface CallMediaOptions {
  readonly userUri: string;
  readonly service?: MediaService;
  readonly keys: GroupMediaKeys;
  readonly mediaPort: DatagramPort;
  readonly law?: G711Law;
  readonly jitter?: JitterBufferOptions;
  /** Users of the group as far as they are known, for the names of who is heard. */
  readonly members?: () => readonly string[];
  /** Identity of a server that mixes. */
  readonly mixer?: string;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly onEvent?: (event: CallEvent) => void;
}

interface Ways {
  readonly to: DatagramAddress;
  /** The only address that media are taken from; undefined: any, as each member of a multicast group sends from its own. */
  readonly from: DatagramAddress | undefined;
  /** Another port where media come in. */
  readonly multicast?: DatagramPort | undefined;
  /** Media of somebody else came. */
  readonly onHeard: (talker: Talker) => void;
}

export class CallMedia {
  readonly group: GroupMedia;
  readonly sender: VoiceSender;
  readonly claims = new Claims();
  readonly identities: Identities;
  readonly #listener: Listener;
  readonly #options: CallMediaOptions;
  readonly #ways: Ways;
  readonly #counted = { sent: 0, failed: 0, strangers: 0 };

  constructor(options: CallMediaOptions, ways: Ways) {
    const { keys, service = "mcptt", law = "PCMA", mediaPort, now, random, onEvent } = options;
    this.#options = options;
    this.#ways = ways;
    this.group = new GroupMedia({ keys, service, random });
    this.sender = new VoiceSender({ media: this.group, law, now, random });
    this.identities = new Identities(keys, options.members ?? (() => []));
    this.#listener = new Listener({
      media: this.group,
      keys,
      identities: this.identities,
      claims: this.claims,
      mixer: options.mixer,
      ownSsrc: this.sender.stream.ssrc,
      jitter: options.jitter,
      now,
      onTalker: (talker) => onEvent?.({ type: "talker", ...talker }),
      onMismatch: (mismatch) => onEvent?.({ type: "talker-mismatch", ...mismatch }),
    });
    if (options.mixer !== undefined) this.identities.name(options.mixer);
    const from = ways.from && addressKey(ways.from);
    mediaPort.receive((packet, address) => {
      if (from === undefined || addressKey(address) === from) this.#take(packet);
      else this.#counted.strangers++;
    });
    ways.multicast?.receive((packet) => this.#take(packet));
  }

  get counters(): MediaCounters {
    return { ...this.#counted, ...this.#listener.counters };
  }

  get ssrc(): number {
    return this.sender.stream.ssrc;
  }

  /** Floor control names a talker. */
  named(user: string | undefined, ssrc: number | undefined): void {
    if (user === undefined) return;
    this.identities.name(user);
    this.claims.take(user, ssrc);
  }

  send(frame: Int16Array): void | Promise<void> {
    return andThen(this.sender.seal(frame), (packet) => {
      this.#options.mediaPort.send(packet, this.#ways.to, (failed) => {
        if (failed) this.#counted.failed++;
        else this.#counted.sent++;
      });
    });
  }

  play(): Int16Array | undefined {
    return this.#listener.play();
  }

  async close(): Promise<void> {
    await Promise.all([this.#options.mediaPort.close(), this.#ways.multicast?.close()]);
  }

  #take(packet: Uint8Array): void {
    const taken = andThen(this.#listener.take(packet), (talker) => {
      if (talker !== undefined) this.#ways.onHeard(talker);
    });
    if (taken instanceof Promise) taken.catch(() => void this.#counted.failed++);
  }
}

export function notGranted(): MikeySakkeError {
  return new MikeySakkeError("usage", "FLOOR_NOT_GRANTED", "no permission to talk: ask for the floor first");
}

export function closed(): MikeySakkeError {
  return new MikeySakkeError("usage", "CALL_CLOSED", "the call is closed");
}

export function noKey(): MikeySakkeError {
  return new MikeySakkeError("usage", "NO_GROUP_KEY", "no GMK of the group is active");
}
