/**
 * The parts of every call in which one member talks at a time: the floor, what is said while it is granted, and what is
 * heard.
 */
import type { VoiceSender } from "../../call/voice-sender.ts";
import type { CallEvent } from "./call-events.ts";
import { notGranted } from "./call-media.ts";
import type { FloorChange, FloorView } from "./floor.ts";

interface Media {
  readonly sender: Pick<VoiceSender<never>, "begin">;
  send(frame: Int16Array): void | Promise<void>;
  play(): Int16Array | undefined;
}

interface Turns {
  readonly view: FloorView;
  release(): void;
}

export abstract class FloorCall {
  readonly #onEvent: ((event: CallEvent) => void) | undefined;
  #media!: Media;
  #turns!: Turns;
  #maySpeak = false;
  #isClosed = false;

  protected constructor(onEvent: ((event: CallEvent) => void) | undefined) {
    this.#onEvent = onEvent;
  }

  /** The two halves of the call, before anything else is called. */
  protected talkBy(media: Media, turns: Turns): void {
    this.#media = media;
    this.#turns = turns;
  }

  protected get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Nothing is said from now on. */
  protected end(): void {
    this.#isClosed = true;
  }

  get floor(): FloorView {
    return this.#turns.view;
  }

  /** Gives the floor back, or a place in the queue. */
  release(): void {
    if (!this.#isClosed) this.#turns.release();
  }

  /**
   * Says 20 ms: 160 samples, or as many as the frames of the codecs have that the call was given.
   *
   * @throws MikeySakkeError usage `FLOOR_NOT_GRANTED`, `BAD_FRAME`; in a call of a group `NO_GROUP_KEY`
   */
  send(frame: Int16Array): void | Promise<void> {
    if (this.#isClosed || this.#turns.view.state !== "granted") throw notGranted();
    return this.#media.send(frame);
  }

  /** Nothing has been said for a while: what is said next does not follow on what was said last. */
  pause(): void {
    this.#media.sender.begin();
  }

  /** The next 20 ms of what is heard, all talkers together; undefined: silence. */
  play(): Int16Array | undefined {
    return this.#media.play();
  }

  /** Takes what floor control tells of a change. */
  protected changed(change: FloorChange): void {
    const isGranted = change.floor.state === "granted";
    if (isGranted && !this.#maySpeak) this.#media.sender.begin();
    this.#maySpeak = isGranted;
    this.#onEvent?.({ type: "floor", ...change });
  }
}
