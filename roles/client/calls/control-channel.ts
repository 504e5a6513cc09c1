/** Floor control between a client and its server: SRTCP under the CSK, and from a multicast address under the MuSiK (9.4). */

import { MikeySakkeError } from "../../../base/errors.ts";
import { andThen } from "../../../base/maybe-promise.ts";
import type { RandomSource } from "../../../base/random.ts";
import { type DeliveredKey, keyIdFromBytes } from "../../../bindings/index.ts";
import {
  ControlSignalling,
  drawControlSsrc,
  isServerSsrc,
  type MaybePromise,
  type MediaService,
  type SrtcpSender,
  type UnprotectedRtcp,
} from "../../../bindings/media/index.ts";
import { addressKey, type DatagramAddress, type DatagramPort } from "../../../transport/datagram/ports.ts";
import type { ControlCodec, ControlContent, WithSsrc } from "../../call/control-codec.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import { ControlStreams, type IsNext } from "../../call/control-streams.ts";

export interface ControlChannelOptions<C extends ControlContent> {
  readonly keys: ControlKeys;
  readonly service: MediaService;
  readonly codec: ControlCodec<C>;
  readonly port: DatagramPort;
  readonly server: DatagramAddress;
  /** The port at which the server's multicast comes in. */
  readonly multicast?: DatagramPort | undefined;
  /** SSRC of what is sent; drawn when absent. Under one CSK none may come twice. */
  readonly ssrc?: number | undefined;
  readonly random: RandomSource;
  readonly onMessage: (message: C & WithSsrc) => void;
}

export interface ControlCounters {
  sent: number;
  /** Could not be protected or did not leave. */
  failed: number;
  received: number;
  /** Not decrypted, not of the server, or no message of the codec. */
  refused: number;
  /** Overtaken by a later message, or of another call. */
  stale: number;
}

export class ControlChannel<C extends ControlContent> {
  readonly counters: ControlCounters = { sent: 0, failed: 0, received: 0, refused: 0, stale: 0 };
  readonly #options: ControlChannelOptions<C>;
  readonly #signalling: ControlSignalling;
  readonly #ssrc: number;
  readonly #senders = new WeakMap<DeliveredKey, MaybePromise<SrtcpSender>>();
  readonly #isNext: IsNext;
  /** Sequence number and stream of the last Floor Taken or Floor Idle. */
  #last: { readonly sequenceNumber: number; readonly stream: string } | undefined;

  constructor(options: ControlChannelOptions<C>) {
    this.#options = options;
    const { keys, service, random, port, multicast, server } = options;
    const sending = () => keys.sending();
    this.#signalling = new ControlSignalling({
      sending,
      receiving: (id) => keys.receiving(id),
      service,
      random,
    });
    this.#isNext = keys.streams.call(({ mki }) => keys.receiving(keyIdFromBytes(mki))?.kind === "MuSiK");
    this.#ssrc = options.ssrc ?? drawControlSsrc("client", random);
    const from = addressKey(server);
    port.receive((packet, address) => {
      if (addressKey(address) === from) this.#receive(packet, ["CSK", "MuSiK"]);
      else this.counters.refused++;
    });
    multicast?.receive((packet) => this.#receive(packet, ["MuSiK"]));
  }

  /** @throws MikeySakkeError usage `NO_CONTROL_KEY` */
  check(): void {
    if (this.#options.keys.sending() !== undefined) return;
    throw new MikeySakkeError("usage", "NO_CONTROL_KEY", "no CSK to send floor control under");
  }

  /** Never throws: what did not leave is counted, and is sent again by its timer. */
  send(content: C): void {
    const fail = () => void this.counters.failed++;
    try {
      const octets = this.#options.codec.encode({ ...content, ssrc: this.#ssrc });
      const sealed = andThen(this.#sender(), (sender) => sender.protect(octets));
      if (sealed instanceof Promise) sealed.then((packet) => this.#send(packet)).catch(fail);
      else this.#send(sealed);
    } catch {
      fail();
    }
  }

  #sender(): MaybePromise<SrtcpSender> {
    this.check();
    const key = this.#options.keys.sending()!;
    const known = this.#senders.get(key);
    if (known !== undefined) return known;
    const sender = this.#signalling.sender(this.#ssrc);
    this.#senders.set(key, sender);
    return sender;
  }

  #send(packet: Uint8Array): void {
    const { port, server } = this.#options;
    port.send(packet, server, (failed) => {
      if (failed) this.counters.failed++;
      else this.counters.sent++;
    });
  }

  #receive(packet: Uint8Array, kinds: readonly string[]): void {
    const refuse = () => void this.counters.refused++;
    const result = andThen(this.#signalling.receiver.unprotect(packet), (taken) => {
      if (!taken.ok || !isServerSsrc(taken.ssrc) || !this.#mayCome(taken, kinds)) return refuse();
      this.#take(taken);
    });
    if (result instanceof Promise) result.catch(refuse);
  }

  /** Session keys are kept from packet to packet; the key may have been replaced since. */
  #mayCome({ mki }: UnprotectedRtcp, kinds: readonly string[]): boolean {
    const { keys } = this.#options;
    const key = keys.receiving(keyIdFromBytes(mki));
    if (key !== undefined) return kinds.includes(key.kind);
    this.#signalling.receiver.prune((other) => keys.receiving(keyIdFromBytes(other)) !== undefined);
    return false;
  }

  #take(taken: UnprotectedRtcp): void {
    const message = this.#options.codec.decode(taken.packet);
    if (message === undefined) {
      this.counters.refused++;
      return;
    }
    if (!this.#isNext(taken) || !this.#isNews(message, ControlStreams.nameOf(taken))) {
      this.counters.stale++;
      return;
    }
    this.counters.received++;
    this.#options.onMessage(message);
  }

  /** 8.2.3.10: which of two Floor Taken and Floor Idle is the newer, when one came by multicast and the other did not. */
  #isNews({ name, sequenceNumber }: ControlContent, stream: string): boolean {
    if (sequenceNumber === undefined || (name !== "Floor Taken" && name !== "Floor Idle")) return true;
    const last = this.#last;
    if (last !== undefined && last.stream !== stream) {
      const behind = (last.sequenceNumber - sequenceNumber) & 0xffff;
      if (behind > 0 && behind < 0x8000) return false;
    }
    this.#last = { sequenceNumber, stream };
    return true;
  }
}
