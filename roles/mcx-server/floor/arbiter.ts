/**
 * Floor arbitration of a group (TS 24.380 6.3.4 and 6.3.5, the basic procedures): one talks, others wait by priority and
 * arrival, a request of high priority takes the floor. A pure function of state, event and time.
 */
import { DENY_CAUSES, REVOKE_CAUSES } from "../../../bindings/floor-control/index.ts";
import type {
  FloorConfig,
  FloorContent,
  FloorEvent,
  FloorOutput,
  FloorState,
  FloorStep,
  Participant,
  Talk,
  Waiting,
} from "./state.ts";

/** 8.2.3.6: 254 and 255 have meanings of their own. */
const LAST_POSITION = 253;
const NOT_QUEUED = 255;

/** What was due by `now` happens first, then the event. Events of who is no participant change nothing. */
export function floorStep(state: FloorState, event: FloorEvent, now: number, config: FloorConfig): FloorStep {
  const turn = new Turn(state, now, config);
  turn.time();
  turn.take(event);
  return turn.step();
}

/** When `floorStep` has something to do without an event; undefined: never. */
export function floorDeadline({ talk }: FloorState, { endOfMedia }: FloorConfig): number | undefined {
  if (talk === undefined) return undefined;
  const { revoked, until, lastMedia } = talk;
  return revoked === undefined
    ? Math.min(until, lastMedia + endOfMedia)
    : Math.min(revoked.until, revoked.repeatAt);
}

class Turn {
  readonly #now: number;
  readonly #config: FloorConfig;
  readonly #messages: FloorOutput[] = [];
  #participants: ReadonlyMap<string, Participant>;
  #talk: Talk | undefined;
  #queue: readonly Waiting[];
  #arrivals: number;
  #sequenceNumber: number;

  constructor(state: FloorState, now: number, config: FloorConfig) {
    this.#now = now;
    this.#config = config;
    this.#participants = state.participants;
    this.#talk = state.talk;
    this.#queue = state.queue;
    this.#arrivals = state.arrivals;
    this.#sequenceNumber = state.sequenceNumber;
  }

  step(): FloorStep {
    return {
      state: {
        participants: this.#participants,
        talk: this.#talk,
        queue: this.#queue,
        arrivals: this.#arrivals,
        sequenceNumber: this.#sequenceNumber,
      },
      messages: this.#messages,
    };
  }

  time(): void {
    const talk = this.#talk;
    if (talk === undefined) return;
    const { revoked, until, lastMedia } = talk;
    const isOver =
      revoked === undefined
        ? this.#now >= lastMedia + this.#config.endOfMedia && this.#now < until
        : this.#now >= revoked.until;
    if (isOver) this.#next();
    else if (revoked === undefined && this.#now >= until) this.#revoke(talk, REVOKE_CAUSES.BURST_TOO_LONG);
    else if (revoked !== undefined && this.#now >= revoked.repeatAt) this.#sayRevoked(talk, revoked);
  }

  take(event: FloorEvent): void {
    if (event.type === "join") this.#join(event.participant);
    if (event.type === "join" || event.type === "time") return;
    const participant = this.#participants.get(event.user);
    if (participant === undefined) return;
    if (event.type === "leave") this.#leave(event.user);
    else if (event.type === "request") this.#request(participant, event);
    else if (event.type === "release") this.#release(event.user);
    else if (event.type === "position") this.#sayPosition(event.user);
    else if (this.#talk?.user === event.user) this.#talk = { ...this.#talk, lastMedia: this.#now };
  }

  #join(participant: Participant): void {
    this.#participants = new Map(this.#participants).set(participant.id, participant);
    if (participant.receiveOnly) this.#release(participant.id);
    const talk = this.#talk;
    if (talk?.user === participant.id) return;
    const sequenceNumber = this.#sequenceNumber;
    this.#say(
      participant.id,
      talk === undefined ? { name: "Floor Idle", sequenceNumber } : taken(talk, sequenceNumber),
    );
  }

  #leave(user: string): void {
    const participants = new Map(this.#participants);
    participants.delete(user);
    this.#participants = participants;
    this.#unqueue(user);
    const talk = this.#talk;
    if (talk?.user === user) this.#next();
    else if (talk !== undefined && talk.revoked === undefined && participants.size < 2) {
      this.#revoke(talk, REVOKE_CAUSES.ONLY_ONE_CLIENT);
    }
  }

  #request(participant: Participant, event: FloorEvent & { type: "request" }): void {
    const { id: user } = participant;
    const { mediaSsrc } = event;
    const priority = Math.min(event.priority, participant.maxPriority);
    const talk = this.#talk;
    if (participant.receiveOnly) this.#deny(user, DENY_CAUSES.RECEIVE_ONLY);
    else if (this.#participants.size < 2) this.#deny(user, DENY_CAUSES.ONLY_ONE_PARTICIPANT);
    else if (talk === undefined) this.#grant({ user, priority, mediaSsrc });
    else if (talk.user !== user) this.#wait({ user, priority, mediaSsrc }, talk);
    // The answer to an earlier request was lost.
    else if (talk.revoked === undefined) this.#sayGranted(talk);
    else this.#sayRevoked(talk, talk.revoked);
  }

  #wait(request: Omit<Waiting, "arrival">, talk: Talk): void {
    const { user, priority } = request;
    const { maxQueue, preemptFrom } = this.#config;
    const preempts = priority >= preemptFrom && priority > talk.priority;
    const known = this.#queue.find((waiting) => waiting.user === user);
    if (known === undefined && !preempts && this.#queue.length >= maxQueue) {
      this.#deny(user, maxQueue === 0 ? DENY_CAUSES.ANOTHER_HAS_PERMISSION : DENY_CAUSES.QUEUE_FULL);
      return;
    }
    const others = this.#queue.filter((waiting) => waiting !== known);
    const arrival = known?.arrival ?? this.#arrivals++;
    const queue = [...others, { ...request, arrival }].sort(
      (a, b) => b.priority - a.priority || a.arrival - b.arrival,
    );
    this.#requeue(queue, user);
    if (preempts && talk.revoked === undefined) this.#revoke(talk, REVOKE_CAUSES.PRE_EMPTED);
  }

  #release(user: string): void {
    if (this.#talk?.user === user) this.#next();
    else this.#unqueue(user);
  }

  /** The floor is free: it goes to who waits first, or is idle. */
  #next(): void {
    this.#talk = undefined;
    if (this.#participants.size < 2) {
      for (const { user } of this.#queue) this.#deny(user, DENY_CAUSES.ONLY_ONE_PARTICIPANT);
      this.#queue = [];
    }
    const [first, ...rest] = this.#queue;
    if (first === undefined) {
      this.#sayToAllBut(undefined, { name: "Floor Idle", sequenceNumber: this.#count() });
      return;
    }
    this.#grant(first);
    this.#requeue(rest);
  }

  #grant({ user, priority, mediaSsrc }: Pick<Waiting, "user" | "priority" | "mediaSsrc">): void {
    const talk = {
      user,
      priority,
      mediaSsrc,
      until: this.#now + this.#config.talkLimit,
      lastMedia: this.#now,
    };
    this.#talk = talk;
    this.#sayGranted(talk);
    this.#sayToAllBut(user, taken(talk, this.#count()));
  }

  #revoke(talk: Talk, cause: number): void {
    const { stopGrace, revokeRepeat } = this.#config;
    const revoked = { cause, until: this.#now + stopGrace, repeatAt: this.#now + revokeRepeat };
    this.#talk = { ...talk, revoked };
    this.#say(talk.user, { name: "Floor Revoke", cause });
  }

  #sayRevoked(talk: Talk, revoked: NonNullable<Talk["revoked"]>): void {
    this.#talk = { ...talk, revoked: { ...revoked, repeatAt: this.#now + this.#config.revokeRepeat } };
    this.#say(talk.user, { name: "Floor Revoke", cause: revoked.cause });
  }

  #sayGranted({ user, priority, mediaSsrc, until }: Talk): void {
    const duration = Math.min(Math.ceil((until - this.#now) / 1000), 0xffff);
    const ssrc = mediaSsrc === undefined ? {} : { mediaSsrc };
    this.#say(user, { name: "Floor Granted", duration, priority, ...ssrc });
  }

  #deny(user: string, cause: number): void {
    this.#say(user, { name: "Floor Deny", cause });
  }

  #unqueue(user: string): void {
    if (this.#queue.some((waiting) => waiting.user === user)) {
      this.#requeue(this.#queue.filter((waiting) => waiting.user !== user));
    }
  }

  /** Tells those whose position changes, and `asking` in any case. */
  #requeue(queue: readonly Waiting[], asking?: string): void {
    const before = this.#queue.map(({ user }) => user);
    this.#queue = queue;
    for (const [at, { user }] of queue.entries()) {
      if (user === asking || before[at] !== user) this.#sayPosition(user);
    }
  }

  #sayPosition(user: string): void {
    const at = this.#queue.findIndex((waiting) => waiting.user === user);
    const queue =
      at < 0
        ? { position: NOT_QUEUED, priority: 0 }
        : { position: Math.min(at + 1, LAST_POSITION), priority: this.#queue[at]!.priority };
    this.#say(user, { name: "Floor Queue Position Info", queue });
  }

  #count(): number {
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    return this.#sequenceNumber;
  }

  #say(to: string, message: FloorContent): void {
    this.#messages.push({ to, message });
  }

  #sayToAllBut(toAllBut: string | undefined, message: FloorContent): void {
    this.#messages.push({ toAllBut, message });
  }
}

function taken({ user, mediaSsrc }: Talk, sequenceNumber: number): FloorContent {
  const ssrc = mediaSsrc === undefined ? {} : { mediaSsrc };
  return { name: "Floor Taken", grantedParty: user, mayRequest: true, sequenceNumber, ...ssrc };
}
