/**
 * A floor participant towards a floor control server (TS 24.380 6.2.4, the basic procedures). Names of timers and counters
 * are those of 11.1.1 and 11.2.1.
 */

import type { Clock } from "../../../base/clock.ts";
import { Timer } from "../../../base/clock.ts";
import { FLOOR_MESSAGES, type FloorMessage, INDICATORS } from "../../../bindings/floor-control/index.ts";
import {
  type FloorChange,
  type FloorContent,
  type FloorLoss,
  type FloorStateName,
  type FloorView,
  NOT_QUEUED,
  optional,
} from "./floor.ts";

/** Milliseconds and counts. */
export interface ParticipantConfig {
  /** T100 and C100: a Floor Release is sent again. */
  readonly releaseRepeat: number;
  readonly releases: number;
  /** T101 and C101: a Floor Request is sent again. */
  readonly requestRepeat: number;
  readonly requests: number;
  /** T103: silence after which the talk of another has ended. */
  readonly endOfMedia: number;
  /** While queued the request is sent again, in case the Floor Granted was lost. */
  readonly queueRefresh: number;
  /** Several may talk at a time, so that the talk of another does not end one's own. */
  readonly multiTalker: boolean;
}

export const DEFAULT_PARTICIPANT: ParticipantConfig = {
  releaseRepeat: 1000,
  releases: 3,
  requestRepeat: 1000,
  requests: 3,
  endOfMedia: 4000,
  queueRefresh: 2000,
  multiTalker: false,
};

const LATE_MEDIA = 500;

export interface ParticipantOptions {
  readonly userUri: string;
  /** SSRC of this participant's own media. */
  readonly mediaSsrc: number;
  readonly clock: Clock;
  readonly config?: Partial<ParticipantConfig>;
  readonly send: (message: FloorContent) => void;
  readonly onChange: (change: FloorChange) => void;
}

export class FloorParticipant {
  readonly #options: ParticipantOptions;
  readonly #config: ParticipantConfig;
  /** Sends again what is not answered: T100 or T101. */
  readonly #repeat: Timer;
  readonly #endOfMedia: Timer;
  #state: FloorStateName = "idle";
  #talker: string | undefined;
  #position: number | undefined;
  #until: number | undefined;
  #priority = 0;
  /** One's own request, or the talk that followed it. */
  #isEmergency = false;
  /** The talk of `#talker`. */
  #isTalkersEmergency = false;
  #sent = 0;
  #isAway = false;
  #idleSince = Number.NEGATIVE_INFINITY;
  #told: FloorView;

  constructor(options: ParticipantOptions) {
    this.#options = options;
    this.#config = { ...DEFAULT_PARTICIPANT, ...options.config };
    this.#repeat = new Timer(options.clock);
    this.#endOfMedia = new Timer(options.clock);
    this.#told = this.view;
  }

  get view(): FloorView {
    const state = this.#state;
    return {
      state,
      talker: this.#talker,
      isEmergency:
        state === "granted" ? this.#isEmergency : this.#talker !== undefined && this.#isTalkersEmergency,
      position: state === "queued" ? this.#position : undefined,
      until: state === "granted" ? this.#until : undefined,
    };
  }

  /** For who waits or talks already it only can become an emergency. */
  request(priority: number, isEmergency = false): void {
    if (this.#state === "pending" || this.#state === "queued" || this.#state === "granted") {
      if (isEmergency && !this.#isEmergency) this.#raise();
      return;
    }
    this.#priority = priority;
    this.#isEmergency = isEmergency;
    if (this.#isAway) this.#enter("pending");
    else this.#startRequest();
  }

  /** The server is gone, and what it has granted. Who talked or waited asks the next one. */
  away(): void {
    const wants = this.#state === "pending" || this.#state === "queued" || this.#state === "granted";
    this.#isAway = true;
    this.#endOfMedia.clear();
    this.#repeat.clear();
    this.#talker = undefined;
    this.#enter(wants ? "pending" : "idle");
  }

  /** There is a server again. */
  back(): void {
    this.#isAway = false;
    if (this.#state === "pending") this.#startRequest();
  }

  /** Gives the floor back, or the wish for it. */
  release(): void {
    if (this.#state !== "granted" && this.#state !== "pending" && this.#state !== "queued") return;
    if (this.#isAway) this.#rest("idle");
    else this.#startRelease();
  }

  /** A message of the server, none older than the one before. */
  take(message: FloorMessage): void {
    switch (message.name) {
      case "Floor Granted":
        this.#granted(message);
        break;
      case "Floor Taken":
        this.#taken(message);
        break;
      case "Floor Idle":
        this.#idle();
        break;
      case "Floor Deny":
        this.#denied(message);
        break;
      case "Floor Revoke":
        this.#revoked(message);
        break;
      case "Floor Queue Position Info":
        this.#positioned(message);
        break;
      default:
        return;
    }
    if (message.ackRequired) {
      const { userUri } = this.#options;
      const acknowledged = FLOOR_MESSAGES[message.name];
      this.#options.send({ name: "Floor Ack", userId: userUri, source: 0, acknowledged });
    }
  }

  /** Media of somebody else came. */
  heard(): void {
    if (this.#isAway) return;
    const now = this.#options.clock.now();
    // The last packets of a talk may come behind the message that it has ended.
    if (this.#state === "idle" && now < this.#idleSince + LATE_MEDIA) return;
    this.#endOfMedia.set(this.#config.endOfMedia, () => this.#freed());
    // 11.1.1: T100 stops when others are heard; the floor has been given to them.
    if (this.#state === "releasing" || this.#state === "idle") this.#rest("taken");
  }

  close(): void {
    this.#repeat.clear();
    this.#endOfMedia.clear();
  }

  #granted({ duration, indicator = 0 }: FloorMessage): void {
    if (this.#state === "granted") {
      if ((indicator & INDICATORS.EMERGENCY) !== 0) this.#repeat.clear();
      return;
    }
    if (this.#state === "releasing") return;
    if (this.#state !== "pending" && this.#state !== "queued") {
      // The user has given up meanwhile.
      this.#startRelease();
      return;
    }
    this.#repeat.clear();
    this.#until = duration === undefined ? undefined : this.#options.clock.now() + 1000 * duration;
    this.#talker = undefined;
    this.#enter("granted");
  }

  #taken({ grantedParty, indicator = 0 }: FloorMessage): void {
    if (grantedParty === this.#options.userUri) return;
    this.#talker = grantedParty;
    this.#isTalkersEmergency = (indicator & INDICATORS.EMERGENCY) !== 0;
    this.#endOfMedia.set(this.#config.endOfMedia, () => this.#freed());
    if (this.#state === "granted" && !this.#config.multiTalker) this.#rest("taken", "revoked");
    else if (this.#state === "idle" || this.#state === "releasing") this.#rest("taken");
    else this.#enter(this.#state);
  }

  #idle(): void {
    this.#talker = undefined;
    this.#idleSince = this.#options.clock.now();
    this.#endOfMedia.clear();
    // The server will answer the request under way, and a waiting member keeps their place.
    if (this.#state === "pending" || this.#state === "queued") this.#enter(this.#state);
    else this.#rest("idle", this.#state === "granted" ? "revoked" : undefined);
  }

  #denied({ cause }: FloorMessage): void {
    if (this.#state === "pending" || this.#state === "queued") this.#rest(this.#unasked(), "denied", cause);
    else if (this.#state === "releasing") this.#rest(this.#unasked());
  }

  #revoked({ cause }: FloorMessage): void {
    const held = this.#state === "granted" || this.#state === "pending" || this.#state === "queued";
    if (held) this.#startRelease("revoked", cause);
    // The Floor Release was lost.
    else if (this.#state === "releasing") this.#sendRelease();
    else this.#startRelease();
  }

  #positioned({ queue }: FloorMessage): void {
    if (queue === undefined) return;
    const isQueued = queue.position !== NOT_QUEUED;
    if (this.#state === "releasing") {
      if (!isQueued) this.#rest(this.#unasked());
      return;
    }
    if (this.#state !== "pending" && this.#state !== "queued") return;
    if (!isQueued) {
      // In answer to a request that waited no more, which is on its way again.
      if (this.#state === "queued") this.#rest(this.#unasked(), "denied");
      return;
    }
    this.#position = queue.position;
    this.#sent = 0;
    this.#repeat.set(this.#config.queueRefresh, () => this.#refresh());
    this.#enter("queued");
  }

  /** A request that is not answered yet is repeated in any case; a talk goes on meanwhile. */
  #raise(): void {
    this.#isEmergency = true;
    if (!this.#isAway) this.#sendRequest();
    if (this.#state === "granted") {
      this.#sent = 1;
      this.#repeat.set(this.#config.requestRepeat, () => this.#raiseAgain());
    }
    this.#enter(this.#state);
  }

  #raiseAgain(): void {
    if (this.#sent >= this.#config.requests) return;
    this.#sent++;
    this.#repeat.set(this.#config.requestRepeat, () => this.#raiseAgain());
    this.#sendRequest();
  }

  #startRequest(): void {
    this.#sendRequest();
    this.#sent = 1;
    this.#enter("pending");
    this.#repeat.set(this.#config.requestRepeat, () => this.#requestAgain());
  }

  #requestAgain(): void {
    if (this.#sent >= this.#config.requests) {
      this.#rest(this.#unasked(), "timed-out");
      return;
    }
    this.#sent++;
    this.#repeat.set(this.#config.requestRepeat, () => this.#requestAgain());
    this.#sendRequest();
  }

  /**
   * Repeats the request. The server keeps the place of a waiting member, and tells a talker that they have the floor.
   */
  #refresh(): void {
    if (this.#sent >= this.#config.requests) {
      this.#rest(this.#unasked(), "timed-out");
      return;
    }
    this.#sent++;
    this.#repeat.set(this.#config.queueRefresh, () => this.#refresh());
    this.#sendRequest();
  }

  #sendRequest(): void {
    const { userUri, mediaSsrc, send } = this.#options;
    const indicator = optional("indicator", this.#isEmergency ? INDICATORS.EMERGENCY : undefined);
    send({ name: "Floor Request", priority: this.#priority, userId: userUri, mediaSsrc, ...indicator });
  }

  #startRelease(lost?: FloorLoss, cause?: number): void {
    this.#sent = 1;
    this.#repeat.set(this.#config.releaseRepeat, () => this.#releaseAgain());
    this.#enter("releasing", lost, cause);
    this.#sendRelease();
  }

  #releaseAgain(): void {
    if (this.#sent >= this.#config.releases) {
      this.#rest(this.#unasked());
      return;
    }
    this.#sent++;
    this.#repeat.set(this.#config.releaseRepeat, () => this.#releaseAgain());
    this.#sendRelease();
  }

  #sendRelease(): void {
    this.#options.send({ name: "Floor Release", userId: this.#options.userUri });
  }

  /** Nothing was heard of who talked (T103). */
  #freed(): void {
    this.#talker = undefined;
    if (this.#state === "taken") this.#rest("idle");
    else this.#enter(this.#state);
  }

  #unasked(): "idle" | "taken" {
    return this.#talker === undefined && !this.#endOfMedia.isSet ? "idle" : "taken";
  }

  #rest(state: "idle" | "taken", lost?: FloorLoss, cause?: number): void {
    this.#repeat.clear();
    this.#enter(state, lost, cause);
  }

  #enter(state: FloorStateName, lost?: FloorLoss, cause?: number): void {
    this.#state = state;
    const floor = this.view;
    const told = this.#told;
    const isSame =
      floor.state === told.state &&
      floor.talker === told.talker &&
      floor.position === told.position &&
      floor.isEmergency === told.isEmergency;
    if (isSame && lost === undefined) return;
    this.#told = floor;
    this.#options.onChange({ floor, ...optional("lost", lost), ...optional("cause", cause) });
  }
}
