/**
 * One side of a private call with floor control: speech under the PCK to one other, directly or by way of a server
 * (TS 33.180 7.4, TS 24.380 6.2, 7.2).
 */
import type { CallEvent, MediaCounters } from "./call-events.ts";
import { closed } from "./call-media.ts";
import type { ControlCounters } from "./control-channel.ts";
import type { FloorChange, FloorView } from "./floor.ts";
import { FloorCall } from "./floor-call.ts";
import { PrivateCallMedia, type PrivateCallMediaOptions } from "./private-call-media.ts";

/** This side's end of floor control. */
export interface FloorEnd {
  readonly view: FloorView;
  readonly counters: Readonly<ControlCounters>;
  /** @throws {MikeySakkeError} usage `NO_CONTROL_KEY` */
  request(priority: number): void;
  release(): void;
  /** Media of the other side came. */
  heard(ssrc: number): void;
  close(): Promise<void>;
}

export type FloorEndOf = (media: PrivateCallMedia, onChange: (change: FloorChange) => void) => FloorEnd;

export interface PrivateCallOptions extends Omit<PrivateCallMediaOptions, "onHeard"> {
  readonly onEvent?: ((event: CallEvent) => void) | undefined;
}

export interface PrivateCallCounters {
  readonly media: MediaCounters;
  readonly floor: Readonly<ControlCounters>;
}

export class PrivateCall extends FloorCall {
  /** MC service user ID of the other side. */
  readonly peerUri: string;
  readonly #media: PrivateCallMedia;
  readonly #floor: FloorEnd;
  readonly #onEvent: PrivateCallOptions["onEvent"];
  #heardSsrc: number | undefined;

  constructor(options: PrivateCallOptions, floorOf: FloorEndOf) {
    super(options.onEvent);
    this.peerUri = options.peerUri;
    this.#onEvent = options.onEvent;
    this.#media = new PrivateCallMedia({ ...options, onHeard: (ssrc) => this.#heard(ssrc) });
    this.#floor = floorOf(this.#media, (change) => this.changed(change));
    this.talkBy(this.#media, this.#floor);
  }

  get counters(): PrivateCallCounters {
    return { media: this.#media.counters, floor: { ...this.#floor.counters } };
  }

  /**
   * Asks for the floor; 0 is the lowest priority, 255 the highest.
   *
   * @throws MikeySakkeError usage `NO_CONTROL_KEY`, `CALL_CLOSED`
   */
  request(priority = 0): void {
    if (this.isClosed) throw closed();
    this.#floor.request(priority);
  }

  /** Says and hears no more, and clears the key; that the call has ended, signalling says. */
  async close(): Promise<void> {
    this.end();
    await Promise.all([this.#floor.close(), this.#media.close()]);
  }

  #heard(ssrc: number): void {
    if (this.isClosed) return;
    if (this.#heardSsrc !== ssrc) this.#onEvent?.({ type: "talker", ssrc, user: this.peerUri });
    this.#heardSsrc = ssrc;
    this.#floor.heard(ssrc);
  }
}
