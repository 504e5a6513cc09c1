/**
 * Floor control among members without a server (TS 24.380 7.2): who talks arbitrates. Each message goes to all. Names of
 * timers and counters are those of 11.1.3 and 11.2.3.
 */

import type { Clock } from "../../../base/clock.ts";
import { Timer } from "../../../base/clock.ts";
import { DENY_CAUSES, type FloorMessage, REVOKE_CAUSES } from "../../../bindings/floor-control/index.ts";
import {
  type FloorChange,
  type FloorContent,
  type FloorLoss,
  type FloorStateName,
  type FloorView,
  NOT_QUEUED,
  optional,
} from "./floor.ts";
import { WaitingList, type WaitingMember } from "./waiting-list.ts";

/** Milliseconds and counts. */
export interface OffNetworkConfig {
  /** T201 and C201: a Floor Request is sent again; when nobody has answered the last one, the floor is one's own. */
  readonly requestRepeat: number;
  readonly requests: number;
  /** T203: silence after which the floor is free. */
  readonly endOfMedia: number;
  /** T204 and C204: who waits asks again. */
  readonly queueRefresh: number;
  readonly queueRequests: number;
  /** T205 and C205: a Floor Granted is sent again until the one it is for is heard. */
  readonly grantRepeat: number;
  readonly grants: number;
  /** T207: how long one may talk. */
  readonly talkLimit: number;
  /** A talker announces the talk again at intervals, for members who join late. */
  readonly takenRepeat: number;
  /** Requests that wait; 0: none. */
  readonly maxQueue: number;
  /** Priority from which on a request takes the floor from one of lower priority. */
  readonly preemptFrom: number;
}

export const DEFAULT_OFF_NETWORK: OffNetworkConfig = {
  requestRepeat: 100,
  requests: 3,
  endOfMedia: 4000,
  queueRefresh: 2000,
  queueRequests: 3,
  grantRepeat: 200,
  grants: 4,
  talkLimit: 30_000,
  takenRepeat: 2000,
  maxQueue: 16,
  preemptFrom: 200,
};

/** Between two Floor Taken in answer to another who talks. */
const ANSWER_PAUSE = 200;
/** How long media may come behind the Floor Release. */
const LATE_MEDIA = 500;

export interface OffNetworkFloorOptions {
  readonly userUri: string;
  /** SSRC of this member's own media and floor messages. */
  readonly ssrc: number;
  readonly clock: Clock;
  readonly config?: Partial<OffNetworkConfig>;
  readonly send: (message: FloorContent) => void;
  readonly onChange: (change: FloorChange) => void;
}

interface Talking {
  readonly user: string | undefined;
  readonly ssrc: number | undefined;
}

export class OffNetworkFloor {
  readonly #options: OffNetworkFloorOptions;
  readonly #config: OffNetworkConfig;
  /** T201, T204 or, while one talks, the next Floor Taken. */
  readonly #repeat: Timer;
  readonly #endOfMedia: Timer;
  readonly #grant: Timer;
  readonly #talkLimit: Timer;
  /** The queue: this member's own while they talk; otherwise the talker's, as last heard. */
  readonly #waiting = new WaitingList();
  #state: FloorStateName = "idle";
  #talker: Talking | undefined;
  #position: number | undefined;
  #until: number | undefined;
  #priority = 0;
  #sent = 0;
  #granted: { readonly to: WaitingMember; readonly sent: number } | undefined;
  /** The member who last announced the end of their talk. */
  #ended: { readonly ssrc: number; readonly at: number } | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #told: FloorView;

  constructor(options: OffNetworkFloorOptions) {
    this.#options = options;
    this.#config = { ...DEFAULT_OFF_NETWORK, ...options.config };
    const { clock } = options;
    this.#repeat = new Timer(clock);
    this.#endOfMedia = new Timer(clock);
    this.#grant = new Timer(clock);
    this.#talkLimit = new Timer(clock);
    this.#told = this.view;
  }

  get view(): FloorView {
    const state = this.#state;
    return {
      state,
      talker: this.#talker?.user,
      isEmergency: false,
      position: state === "queued" ? this.#position : undefined,
      until: state === "granted" ? this.#until : undefined,
    };
  }

  /** Nothing happens to who waits or talks already. */
  request(priority: number): void {
    if (this.#state !== "idle" && this.#state !== "taken") return;
    this.#priority = priority;
    this.#ask();
  }

  /** Gives the floor to who waits first, or frees it; or gives up waiting. */
  release(): void {
    if (this.#state === "granted") this.#pass();
    else if (this.#state === "pending" || this.#state === "queued") {
      this.#sendRelease();
      this.#rest();
    }
  }

  /** A message of another member, none older than the one before; `ssrc` is that of its sender. */
  take(message: FloorMessage): void {
    const { ssrc } = message;
    if (this.#granted?.to.ssrc === ssrc) this.#stopGranting();
    switch (message.name) {
      case "Floor Request":
        this.#requested(message);
        break;
      case "Floor Release":
        this.#released(ssrc);
        break;
      case "Floor Granted":
        this.#grantHeard(message);
        break;
      case "Floor Taken":
        this.#takenHeard(message);
        break;
      case "Floor Deny":
        if (this.#isForMe(message.userId, message.mediaSsrc)) this.#denied(message.cause);
        break;
      case "Floor Queue Position Info":
        this.#positionHeard(message);
        break;
      case "Floor Queue Position Request":
        if (this.#state === "granted") this.#sayPositions(new Set([ssrc]));
        break;
    }
  }

  /** Media of another came. */
  heard(ssrc: number, user: string | undefined): void {
    if (this.#granted?.to.ssrc === ssrc) this.#stopGranting();
    if (this.#state === "granted") {
      this.#answer();
      return;
    }
    const isTalker = this.#talker?.ssrc === undefined || this.#talker.ssrc === ssrc;
    // Late media from the previous talker do not start a new talk.
    if (!isTalker || this.#hasEnded(ssrc)) return;
    this.#hearTalker({ user: this.#talker?.user ?? user, ssrc });
  }

  close(): void {
    if (this.#state === "granted") this.#pass();
    for (const timer of [this.#repeat, this.#endOfMedia, this.#grant, this.#talkLimit]) timer.clear();
  }

  #ask(): void {
    this.#sent = 1;
    this.#enter("pending");
    this.#repeat.set(this.#config.requestRepeat, () => this.#askAgain());
    this.#sendRequest();
  }

  #askAgain(): void {
    if (this.#sent < this.#config.requests) {
      this.#sent++;
      this.#repeat.set(this.#config.requestRepeat, () => this.#askAgain());
      this.#sendRequest();
    } else if (this.#talker !== undefined) this.#rest("timed-out");
    else this.#talk();
  }

  /** One talks, and arbitrates from now on. */
  #talk(): void {
    const { clock, ssrc } = this.#options;
    const { talkLimit } = this.#config;
    this.#waiting.remove(ssrc);
    this.#talker = undefined;
    this.#endOfMedia.clear();
    this.#stopGranting();
    this.#until = clock.now() + talkLimit;
    this.#talkLimit.set(talkLimit, () => this.#pass("revoked", REVOKE_CAUSES.BURST_TOO_LONG));
    this.#enter("granted");
    this.#sayTaken();
    this.#sayPositions();
  }

  #sayTaken(): void {
    const { userUri, ssrc, send } = this.#options;
    this.#repeat.set(this.#config.takenRepeat, () => this.#sayTaken());
    const priority = this.#priority;
    send({ name: "Floor Taken", priority, grantedParty: userUri, userId: userUri, mediaSsrc: ssrc });
  }

  /** Another member talks too: tells them who has the floor. */
  #answer(): void {
    const now = this.#options.clock.now();
    if (now < this.#answeredAt + ANSWER_PAUSE) return;
    this.#answeredAt = now;
    this.#sayTaken();
  }

  /** The floor goes to who waits first, or is free. */
  #pass(lost?: FloorLoss, cause?: number): void {
    this.#talkLimit.clear();
    this.#repeat.clear();
    const next = this.#waiting.takeFirst();
    if (next === undefined) {
      this.#sendRelease();
      this.#talker = undefined;
      this.#enter("idle", lost, cause);
      return;
    }
    this.#talker = { user: next.user, ssrc: next.ssrc };
    this.#enter("taken", lost, cause);
    this.#grantTo(next, 1);
  }

  #grantTo(to: WaitingMember, sent: number): void {
    const { userUri, send } = this.#options;
    this.#granted = { to, sent };
    this.#grant.set(this.#config.grantRepeat, () => this.#grantAgain());
    const duration = Math.min(Math.ceil(this.#config.talkLimit / 1000), 0xffff);
    const { user, ssrc } = to;
    send({ name: "Floor Granted", duration, grantedParty: user, userId: userUri, mediaSsrc: ssrc });
  }

  #grantAgain(): void {
    const granted = this.#granted;
    if (granted === undefined) return;
    if (granted.sent < this.#config.grants) {
      this.#grantTo(granted.to, granted.sent + 1);
      return;
    }
    // That member is gone: grant the next one.
    this.#granted = undefined;
    const next = this.#waiting.takeFirst();
    if (next !== undefined) {
      this.#talker = { user: next.user, ssrc: next.ssrc };
      this.#enter(this.#state);
      this.#grantTo(next, 1);
      return;
    }
    this.#sendRelease();
    this.#freed();
  }

  #stopGranting(): void {
    this.#granted = undefined;
    this.#grant.clear();
  }

  #requested({ ssrc, userId = "", priority = 0 }: FloorMessage): void {
    const member = { ssrc, user: userId, priority };
    if (this.#state === "granted") this.#arbitrate(member);
    // Two ask at a time: one of them lets the other go first, who answers then.
    else if (this.#state === "pending" && this.#talker === undefined && this.#isBehind(priority, ssrc)) {
      this.#sent = 1;
      this.#repeat.set(this.#config.requestRepeat, () => this.#askAgain());
    }
  }

  #arbitrate(member: WaitingMember): void {
    const { ssrc, user, priority } = member;
    const { preemptFrom, maxQueue } = this.#config;
    if (priority >= preemptFrom && priority > this.#priority) {
      this.#waiting.remove(ssrc);
      // In front of all others, whatever their priority.
      this.#waiting.enter({ ...member, priority: Number.POSITIVE_INFINITY });
      this.#pass("revoked", REVOKE_CAUSES.PRE_EMPTED);
      return;
    }
    if (!this.#waiting.has(ssrc) && this.#waiting.size >= maxQueue) {
      const cause = maxQueue === 0 ? DENY_CAUSES.ANOTHER_HAS_PERMISSION : DENY_CAUSES.QUEUE_FULL;
      this.#options.send({ name: "Floor Deny", cause, userId: user, mediaSsrc: ssrc });
      return;
    }
    const before = this.#order();
    this.#waiting.enter(member);
    this.#sayPositions(this.#moved(before).add(ssrc));
  }

  #released(ssrc: number): void {
    const before = this.#order();
    if (this.#waiting.remove(ssrc) && this.#state === "granted") this.#sayPositions(this.#moved(before));
    this.#ended = { ssrc, at: this.#options.clock.now() };
    if (this.#state !== "granted" && this.#talker?.ssrc === ssrc) this.#freed();
  }

  #hasEnded(ssrc: number): boolean {
    const ended = this.#ended;
    return ended?.ssrc === ssrc && this.#options.clock.now() < ended.at + LATE_MEDIA;
  }

  #grantHeard({ ssrc, grantedParty, mediaSsrc, priority }: FloorMessage): void {
    if (this.#isForMe(grantedParty, mediaSsrc)) {
      if (this.#state === "pending" || this.#state === "queued") this.#talk();
      // It was given up meanwhile.
      else if (this.#state !== "granted") this.#sendRelease();
      return;
    }
    if (mediaSsrc !== undefined) this.#waiting.remove(mediaSsrc);
    if (this.#state !== "granted") this.#newTalker({ user: grantedParty, ssrc: mediaSsrc });
    else if (this.#isBehind(priority, ssrc)) this.#yield({ user: grantedParty, ssrc: mediaSsrc });
    else this.#answer();
  }

  #takenHeard({ ssrc, grantedParty, priority }: FloorMessage): void {
    if (this.#ended?.ssrc === ssrc) this.#ended = undefined;
    const talker = { user: grantedParty, ssrc };
    if (this.#state !== "granted") this.#newTalker(talker);
    else if (this.#isBehind(priority, ssrc)) this.#yield(talker);
    else this.#answer();
  }

  /** Two talk, as when neither heard the other's request: one of them stops. */
  #yield(talker: Talking): void {
    this.#talkLimit.clear();
    this.#repeat.clear();
    this.#waiting.clear();
    this.#setTalker(talker);
    this.#enter("taken", "revoked", REVOKE_CAUSES.OTHER);
  }

  #newTalker(talker: Talking): void {
    const isNew = this.#talker?.ssrc !== talker.ssrc;
    this.#waiting.remove(talker.ssrc ?? -1);
    this.#hearTalker(talker);
    // The new talker may not know the queue.
    if (isNew && (this.#state === "pending" || this.#state === "queued")) this.#ask();
  }

  #hearTalker(talker: Talking): void {
    this.#setTalker(talker);
    this.#enter(this.#state === "idle" ? "taken" : this.#state);
  }

  #setTalker(talker: Talking): void {
    this.#talker = talker;
    this.#endOfMedia.set(this.#config.endOfMedia, () => this.#freed());
  }

  #denied(cause: number | undefined): void {
    if (this.#state === "pending" || this.#state === "queued") this.#rest("denied", cause);
  }

  #positionHeard({ queue, queuedUserId, mediaSsrc }: FloorMessage): void {
    if (queue === undefined || this.#state === "granted") return;
    const isQueued = queue.position !== NOT_QUEUED;
    if (!this.#isForMe(queuedUserId, mediaSsrc)) {
      if (mediaSsrc === undefined || queuedUserId === undefined) return;
      if (isQueued) this.#waiting.enter({ ssrc: mediaSsrc, user: queuedUserId, priority: queue.priority });
      else this.#waiting.remove(mediaSsrc);
      return;
    }
    if (this.#state !== "pending" && this.#state !== "queued") return;
    if (!isQueued) {
      this.#denied(undefined);
      return;
    }
    this.#position = queue.position;
    this.#sent = 0;
    this.#repeat.set(this.#config.queueRefresh, () => this.#refresh());
    this.#enter("queued");
  }

  #refresh(): void {
    if (this.#sent >= this.#config.queueRequests) {
      this.#rest("timed-out");
      return;
    }
    this.#sent++;
    this.#repeat.set(this.#config.queueRefresh, () => this.#refresh());
    this.#sendRequest();
  }

  /** Nobody talks any more. Who waits asks all again. */
  #freed(): void {
    this.#talker = undefined;
    this.#endOfMedia.clear();
    this.#stopGranting();
    if (this.#state === "queued") this.#ask();
    else this.#enter(this.#state === "taken" ? "idle" : this.#state);
    this.#waiting.clear();
  }

  #sendRequest(): void {
    const { userUri, ssrc, send } = this.#options;
    send({ name: "Floor Request", priority: this.#priority, userId: userUri, mediaSsrc: ssrc });
  }

  #sendRelease(): void {
    const { userUri, send } = this.#options;
    send({ name: "Floor Release", userId: userUri });
  }

  #order(): number[] {
    return this.#waiting.positions().map(({ member }) => member.ssrc);
  }

  #moved(before: readonly number[]): Set<number> {
    return new Set(this.#order().filter((ssrc, at) => before[at] !== ssrc));
  }

  /** To those of `whom`; to all when absent. */
  #sayPositions(whom?: ReadonlySet<number>): void {
    for (const { member, position } of this.#waiting.positions()) {
      const { ssrc, user, priority } = member;
      if (whom !== undefined && !whom.has(ssrc)) continue;
      const queue = { position, priority: Math.min(priority, 0xff) };
      const name = "Floor Queue Position Info";
      this.#options.send({ name, userId: user, queuedUserId: user, queue, mediaSsrc: ssrc });
    }
  }

  #isForMe(user: string | undefined, ssrc: number | undefined): boolean {
    return ssrc === undefined ? user === this.#options.userUri : ssrc === this.#options.ssrc;
  }

  /** When two members request the floor, higher priority goes first, then the lower SSRC. */
  #isBehind(priority: number | undefined, ssrc: number): boolean {
    const other = priority ?? this.#priority;
    return other === this.#priority ? ssrc < this.#options.ssrc : other > this.#priority;
  }

  #rest(lost?: FloorLoss, cause?: number): void {
    this.#repeat.clear();
    this.#enter(this.#talker === undefined ? "idle" : "taken", lost, cause);
  }

  #enter(state: FloorStateName, lost?: FloorLoss, cause?: number): void {
    this.#state = state;
    const floor = this.view;
    const { state: before, talker, position } = this.#told;
    const isSame = floor.state === before && floor.talker === talker && floor.position === position;
    if (isSame && lost === undefined) return;
    this.#told = floor;
    this.#options.onChange({ floor, ...optional("lost", lost), ...optional("cause", cause) });
  }
}
