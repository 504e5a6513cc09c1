/**
 * Floor arbitration of a group (TS 24.380 6.3.4 and 6.3.5, the basic procedures): one talks, or as many as may at a
 * time; others wait by priority and arrival; a request of high priority takes the floor. A pure function of state,
 * event and time.
 */
import { defined } from "../../../base/defined.ts";
import { DENY_CAUSES, INDICATORS, REVOKE_CAUSES } from "../../../bindings/floor-control/index.ts";
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
/** Effective priority of an emergency (decision D-181): what a member may otherwise ask for does not limit it. */
const EMERGENCY_PRIORITY = 255;

/** Does first what was due by `now`, then handles the event. Events of non-participants change nothing. */
export function floorStep(state: FloorState, event: FloorEvent, now: number, config: FloorConfig): FloorStep {
  const turn = new Turn(state, now, config);
  turn.time();
  turn.take(event);
  return turn.step();
}

/** When `floorStep` has something to do without an event; undefined: never. */
export function floorDeadline({ talks }: FloorState, { endOfMedia }: FloorConfig): number | undefined {
  if (talks.length === 0) return undefined;
  const deadlines = talks.map(({ revoked, until, lastMedia }) =>
    revoked === undefined
      ? Math.min(until, lastMedia + endOfMedia)
      : Math.min(revoked.until, revoked.repeatAt),
  );
  return Math.min(...deadlines);
}

class Turn {
  readonly #now: number;
  readonly #config: FloorConfig;
  readonly #messages: FloorOutput[] = [];
  #participants: ReadonlyMap<string, Participant>;
  #talks: readonly Talk[];
  #queue: readonly Waiting[];
  #arrivals: number;
  #sequenceNumber: number;

  constructor(state: FloorState, now: number, config: FloorConfig) {
    this.#now = now;
    this.#config = config;
    this.#participants = state.participants;
    this.#talks = state.talks;
    this.#queue = state.queue;
    this.#arrivals = state.arrivals;
    this.#sequenceNumber = state.sequenceNumber;
  }

  step(): FloorStep {
    return {
      state: {
        participants: this.#participants,
        talks: this.#talks,
        queue: this.#queue,
        arrivals: this.#arrivals,
        sequenceNumber: this.#sequenceNumber,
      },
      messages: this.#messages,
    };
  }

  time(): void {
    for (const { user } of this.#talks) {
      // One whose talk ends may have ended that of another.
      const talk = this.#talkOf(user);
      if (talk !== undefined) this.#timeOf(talk);
    }
  }

  #timeOf(talk: Talk): void {
    const { user, revoked, until, lastMedia } = talk;
    const isOver =
      revoked === undefined
        ? this.#now >= lastMedia + this.#config.endOfMedia && this.#now < until
        : this.#now >= revoked.until;
    if (isOver) this.#end(user);
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
    else this.#change(event.user, (talk) => ({ ...talk, lastMedia: this.#now }));
  }

  #join(participant: Participant): void {
    this.#participants = new Map(this.#participants).set(participant.id, participant);
    if (participant.receiveOnly) this.#release(participant.id);
    if (this.#talkOf(participant.id) !== undefined) return;
    const sequenceNumber = this.#sequenceNumber;
    if (this.#talks.length === 0) this.#say(participant.id, { name: "Floor Idle", sequenceNumber });
    for (const talk of this.#talks) this.#say(participant.id, taken(talk, sequenceNumber));
  }

  #leave(user: string): void {
    const participants = new Map(this.#participants);
    participants.delete(user);
    this.#participants = participants;
    this.#unqueue(user);
    if (this.#talkOf(user) !== undefined) this.#end(user);
    if (participants.size >= 2) return;
    for (const talk of this.#talks) {
      if (talk.revoked === undefined) this.#revoke(talk, REVOKE_CAUSES.ONLY_ONE_CLIENT);
    }
  }

  #request(participant: Participant, event: FloorEvent & { type: "request" }): void {
    const { id: user } = participant;
    const { mediaSsrc, isEmergency = false } = event;
    const priority = isEmergency ? EMERGENCY_PRIORITY : Math.min(event.priority, participant.maxPriority);
    const request = { user, priority, mediaSsrc, isEmergency };
    const talk = this.#talkOf(user);
    if (participant.receiveOnly) this.#deny(user, DENY_CAUSES.RECEIVE_ONLY);
    else if (this.#participants.size < 2) this.#deny(user, DENY_CAUSES.ONLY_ONE_PARTICIPANT);
    else if (talk !== undefined) this.#answerAgain(talk, isEmergency);
    else if (this.#talks.length < this.#config.speakers) this.#grant(request);
    else this.#wait(request, participant);
  }

  /** The answer to an earlier request was lost, or the talk becomes an emergency. */
  #answerAgain(talk: Talk, isEmergency: boolean): void {
    if (talk.revoked !== undefined) {
      this.#sayRevoked(talk, talk.revoked);
      return;
    }
    if (!isEmergency || talk.isEmergency) {
      this.#sayGranted(talk);
      return;
    }
    const raised = { ...talk, isEmergency, priority: EMERGENCY_PRIORITY };
    this.#change(talk.user, () => raised);
    this.#sayGranted(raised);
    this.#sayToAllBut(talk.user, taken(raised, this.#count()));
  }

  /** TS 24.380 6.3.4.4: where no queue was negotiated, only a request that takes the floor waits for it. */
  #wait(request: Omit<Waiting, "arrival">, { queueing = true }: Participant): void {
    const { user, priority } = request;
    const { preemptFrom } = this.#config;
    const maxQueue = queueing ? this.#config.maxQueue : 0;
    const rank = rankOf(request);
    const preempts = priority >= preemptFrom && this.#talks.some((talk) => rank > rankOf(talk));
    const known = this.#queue.find((waiting) => waiting.user === user);
    if (known === undefined && !preempts && this.#queue.length >= maxQueue) {
      this.#deny(user, maxQueue === 0 ? DENY_CAUSES.ANOTHER_HAS_PERMISSION : DENY_CAUSES.QUEUE_FULL);
      return;
    }
    const others = this.#queue.filter((waiting) => waiting !== known);
    const arrival = known?.arrival ?? this.#arrivals++;
    const queue = [...others, { ...request, arrival }].sort(
      (a, b) => rankOf(b) - rankOf(a) || a.arrival - b.arrival,
    );
    this.#requeue(queue, user);
    if (preempts) this.#preempt(rank);
  }

  /** One talk ends for each urgent request that waits: the one of lowest priority first. */
  #preempt(rank: number): void {
    const urgent = this.#queue.filter((waiting) => waiting.priority >= this.#config.preemptFrom).length;
    const running = this.#talks.filter((talk) => talk.revoked === undefined);
    if (this.#talks.length - running.length >= urgent) return;
    const [lowest] = [...running].sort((a, b) => rankOf(a) - rankOf(b));
    if (lowest !== undefined && rankOf(lowest) < rank) this.#revoke(lowest, REVOKE_CAUSES.PRE_EMPTED);
  }

  #release(user: string): void {
    if (this.#talkOf(user) !== undefined) this.#end(user);
    else this.#unqueue(user);
  }

  /** The floor of one is free: it goes to who waits first; with nobody left who talks, the floor is idle. */
  #end(user: string): void {
    this.#talks = this.#talks.filter((talk) => talk.user !== user);
    if (this.#participants.size < 2) {
      for (const waiting of this.#queue) this.#deny(waiting.user, DENY_CAUSES.ONLY_ONE_PARTICIPANT);
      this.#queue = [];
    }
    const [first, ...rest] = this.#queue;
    if (first !== undefined) {
      this.#grant(first);
      this.#requeue(rest);
      return;
    }
    const talk = this.#talks.at(-1);
    if (talk === undefined) {
      this.#sayToAllBut(undefined, { name: "Floor Idle", sequenceNumber: this.#count() });
    } else this.#sayToAllBut(talk.user, taken(talk, this.#count()));
  }

  #talkOf(user: string): Talk | undefined {
    return this.#talks.find((talk) => talk.user === user);
  }

  #change(user: string, change: (talk: Talk) => Talk): void {
    if (this.#talkOf(user) === undefined) return;
    this.#talks = this.#talks.map((talk) => (talk.user === user ? change(talk) : talk));
  }

  #grant({ user, priority, mediaSsrc, isEmergency }: Omit<Waiting, "arrival">): void {
    const talk = {
      user,
      priority,
      mediaSsrc,
      isEmergency,
      until: this.#now + this.#config.talkLimit,
      lastMedia: this.#now,
    };
    this.#talks = [...this.#talks, talk];
    this.#sayGranted(talk);
    this.#sayToAllBut(user, taken(talk, this.#count()));
  }

  #revoke(talk: Talk, cause: number): void {
    const { stopGrace, revokeRepeat } = this.#config;
    const revoked = { cause, until: this.#now + stopGrace, repeatAt: this.#now + revokeRepeat };
    this.#change(talk.user, (other) => ({ ...other, revoked }));
    this.#say(talk.user, { name: "Floor Revoke", cause });
  }

  #sayRevoked(talk: Talk, revoked: NonNullable<Talk["revoked"]>): void {
    const repeatAt = this.#now + this.#config.revokeRepeat;
    this.#change(talk.user, (other) => ({ ...other, revoked: { ...revoked, repeatAt } }));
    this.#say(talk.user, { name: "Floor Revoke", cause: revoked.cause });
  }

  #sayGranted(talk: Talk): void {
    const { user, priority, until } = talk;
    const duration = Math.min(Math.ceil((until - this.#now) / 1000), 0xffff);
    this.#say(user, { name: "Floor Granted", duration, priority, ...described(talk) });
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

  /** A user who negotiated no queue does not know the message; what waits for them is a request that takes the floor. */
  #sayPosition(user: string): void {
    if (this.#participants.get(user)?.queueing === false) return;
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

/** An emergency goes before a priority of 255 too. */
function rankOf({ priority, isEmergency }: Pick<Waiting, "priority" | "isEmergency">): number {
  return isEmergency ? EMERGENCY_PRIORITY + 1 : priority;
}

function taken(talk: Talk, sequenceNumber: number): FloorContent {
  const { user: grantedParty } = talk;
  return { name: "Floor Taken", grantedParty, mayRequest: true, sequenceNumber, ...described(talk) };
}

function described({ mediaSsrc, isEmergency }: Talk): Pick<FloorContent, "mediaSsrc" | "indicator"> {
  return {
    ...defined({ mediaSsrc }),
    ...(isEmergency && { indicator: INDICATORS.EMERGENCY }),
  };
}
