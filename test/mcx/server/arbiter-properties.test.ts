/** Floor arbitration under many random histories: never two holders, order of the queue, nobody forgotten. */
import { expect, it } from "vitest";
import {
  DEFAULT_FLOOR_CONFIG,
  EMPTY_FLOOR,
  type FloorEvent,
  type FloorOutput,
  type FloorState,
  floorDeadline,
  floorStep,
} from "../../../roles/mcx/index.ts";

const USERS = ["a", "b", "c", "d", "e", "f"];
const CONFIG = { ...DEFAULT_FLOOR_CONFIG, maxQueue: 4 };

/** Numbers that come again with the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function draw(next: (below: number) => number): FloorEvent {
  const user = USERS[next(USERS.length)]!;
  const kind = next(20);
  if (kind < 3)
    return { type: "join", participant: { id: user, maxPriority: 255, receiveOnly: next(9) === 0 } };
  if (kind === 3) return { type: "leave", user };
  if (kind < 11) {
    const priority = [0, 1, 5, 199, 200, 255][next(6)]!;
    return { type: "request", user, priority, isEmergency: next(9) === 0 };
  }
  if (kind < 14) return { type: "release", user };
  if (kind === 14) return { type: "position", user };
  return kind < 18 ? { type: "media", user } : { type: "time" };
}

/** Members who may believe that they have the floor, from what they were told and did. */
function hear(holders: Set<string>, { message, ...whom }: FloorOutput): void {
  const { name } = message;
  if ("to" in whom) {
    if (name === "Floor Granted") holders.add(whom.to);
    else if (name !== "Floor Queue Position Info") holders.delete(whom.to);
    return;
  }
  for (const holder of [...holders]) if (holder !== whom.toAllBut) holders.delete(holder);
}

function checkQueue({ queue, talks, participants }: FloorState): void {
  const [talk] = talks;
  expect(talks.length).toBeLessThan(2);
  const names = queue.map(({ user }) => user);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(participants.has(name) && talk?.user !== name).toBe(true);
  for (let i = 1; i < queue.length; i++) {
    const [before, after] = [queue[i - 1]!, queue[i]!];
    const [rankBefore, rankAfter] = [before, after].map((one) => (one.isEmergency ? 256 : one.priority));
    const inOrder = rankBefore! > rankAfter! || (rankBefore === rankAfter && before.arrival < after.arrival);
    expect(inOrder).toBe(true);
  }
  if (talk === undefined) expect(queue).toEqual([]);
  else expect(participants.has(talk.user)).toBe(true);
}

it("the floor arbiter never has two holders, and keeps its queue in order", () => {
  let grants = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const next = numbers(seed);
    const holders = new Set<string>();
    let state = EMPTY_FLOOR;
    let now = 0;
    for (let i = 0; i < 300; i++) {
      now += next(5) === 0 ? next(40_000) : next(500);
      const event = draw(next);
      const before = state;
      const frozen = JSON.stringify([...before.participants.keys(), before.talks, before.queue]);
      const step = floorStep(state, event, now, CONFIG);
      state = step.state;
      expect(JSON.stringify([...before.participants.keys(), before.talks, before.queue])).toBe(frozen);
      if (event.type === "leave" || event.type === "release") holders.delete(event.user);
      for (const output of step.messages) hear(holders, output);
      grants += step.messages.filter(({ message }) => message.name === "Floor Granted").length;
      const allowed = state.talks[0] === undefined || state.talks[0].revoked ? [] : [state.talks[0].user];
      expect({ seed, i, holders: [...holders] }).toEqual({ seed, i, holders: allowed });
      checkQueue(state);
    }
  }
  expect(grants).toBeGreaterThan(1000);
});

it("the floor arbiter serves everyone who waits, by priority and arrival, when all talk to their limit", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const next = numbers(seed * 77);
    let state = EMPTY_FLOOR;
    for (const id of USERS) {
      const participant = { id, maxPriority: 255 };
      state = floorStep(state, { type: "join", participant }, 0, CONFIG).state;
    }
    const asked = USERS.map((user) => ({ user, priority: next(200) }));
    const config = { ...CONFIG, maxQueue: 10 };
    for (const { user, priority } of asked) {
      state = floorStep(state, { type: "request", user, priority }, 1, config).state;
    }
    const [first, ...rest] = asked;
    const expected = [first!, ...rest.sort((a, b) => b.priority - a.priority)].map(({ user }) => user);
    const talked = [state.talks[0]!.user];
    for (let due = floorDeadline(state, config); due !== undefined; due = floorDeadline(state, config)) {
      state = floorStep(state, { type: "time" }, due, config).state;
      if (state.talks[0] !== undefined && state.talks[0].user !== talked.at(-1))
        talked.push(state.talks[0].user);
    }
    expect(talked).toEqual(expected);
  }
});
