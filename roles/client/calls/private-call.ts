/**
 * One side of a private call with floor control: speech under the PCK to one other, directly or by way of a server
 * (TS 33.180 7.4, TS 24.380 6.2, 7.2).
 */
import type { CallEvent, MediaCounters } from "./call-events.ts";
import { closed, notGranted } from "./call-media.ts";
import type { ControlCounters } from "./control-channel.ts";
import type { FloorChange, FloorView } from "./floor.ts";
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

export class PrivateCall {
  /** MC service user ID of the other side. */
  readonly peerUri: string;
  readonly #media: PrivateCallMedia;
  readonly #floor: FloorEnd;
  readonly #onEvent: PrivateCallOptions["onEvent"];
  #heardSsrc: number | undefined;
  #maySpeak = false;
  #isClosed = false;

  constructor(options: PrivateCallOptions, floorOf: FloorEndOf) {
    this.peerUri = options.peerUri;
    this.#onEvent = options.onEvent;
    this.#media = new PrivateCallMedia({ ...options, onHeard: (ssrc) => this.#heard(ssrc) });
    this.#floor = floorOf(this.#media, (change) => this.#changed(change));
  }

  get floor(): FloorView {
    return this.#floor.view;
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
    if (this.#isClosed) throw closed();
    this.#floor.request(priority);
  }

  /** Gives back the floor, or a place in the queue. */
  release(): void {
    if (!this.#isClosed) this.#floor.release();
  }

  /**
   * Says 160 samples, 20 ms.
   *
   * @throws MikeySakkeError usage `FLOOR_NOT_GRANTED`, `BAD_FRAME`
   */
  send(frame: Int16Array): void | Promise<void> {
    if (this.#isClosed || this.#floor.view.state !== "granted") throw notGranted();
    return this.#media.send(frame);
  }

  /** Nothing has been said for a while: what is said next does not follow on what was said last. */
  pause(): void {
    this.#media.sender.begin();
  }

  /** The next 20 ms of what is heard; undefined: silence. */
  play(): Int16Array | undefined {
    return this.#media.play();
  }

  /** Says and hears no more, and clears the key; that the call has ended, signalling says. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#floor.close(), this.#media.close()]);
  }

  #heard(ssrc: number): void {
    if (this.#isClosed) return;
    if (this.#heardSsrc !== ssrc) this.#onEvent?.({ type: "talker", ssrc, user: this.peerUri });
    this.#heardSsrc = ssrc;
    this.#floor.heard(ssrc);
  }

  #changed(change: FloorChange): void {
    const isGranted = change.floor.state === "granted";
    if (isGranted && !this.#maySpeak) this.#media.sender.begin();
    this.#maySpeak = isGranted;
    this.#onEvent?.({ type: "floor", ...change });
  }
}
