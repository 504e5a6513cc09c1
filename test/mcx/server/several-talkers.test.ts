/** A floor that several may have at a time. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DEFAULT_FLOOR_CONFIG,
  EMPTY_FLOOR,
  type FloorEvent,
  type FloorState,
  floorDeadline,
  floorStep,
} from "../../../roles/mcx/index.ts";

const CONFIG = { ...DEFAULT_FLOOR_CONFIG, speakers: 2 };
const USERS = ["a", "b", "c", "d"];

function run(events: readonly (FloorEvent & { at?: number })[], state: FloorState = EMPTY_FLOOR) {
  const said: string[] = [];
  let now = 0;
  for (const { at, ...event } of events) {
    now = at ?? now;
    const step = floorStep(state, event as FloorEvent, now, CONFIG);
    state = step.state;
    for (const { message, ...whom } of step.messages) said.push(`${JSON.stringify(whom)} ${message.name}`);
  }
  return { state, said, talkers: state.talks.map(({ user }) => user) };
}

const joined = USERS.map((id) => ({ type: "join", participant: { id, maxPriority: 255 } }) as const);
const ask = (user: string, priority = 0) => ({ type: "request", user, priority }) as const;
const release = (user: string) => ({ type: "release", user }) as const;

describe("floor arbitration with two talkers", () => {
  it("grants two, queues the third, and says who is left when one ends", () => {
    const first = run([...joined, ask("a"), ask("b"), ask("c")]);
    expect(first.talkers).toEqual(["a", "b"]);
    expect(first.state.queue.map(({ user }) => user)).toEqual(["c"]);
    const second = run([release("a")], first.state);
    expect(second.talkers).toEqual(["b", "c"]);
    const third = run([release("c")], second.state);
    expect(third.talkers).toEqual(["b"]);
    expect(third.said).toEqual(['{"toAllBut":"b"} Floor Taken']);
    expect(run([release("b")], third.state).said).toEqual(["{} Floor Idle"]);
  });

  it("takes the floor from the talker of lowest priority, one for each urgent request", () => {
    const first = run([...joined, ask("a", 5), ask("b", 3), ask("c", 210)]);
    expect(first.state.talks.map(({ user, revoked }) => [user, revoked !== undefined])).toEqual([
      ["a", false],
      ["b", true],
    ]);
    const second = run([ask("c", 210)], first.state);
    expect(second.state.talks.filter(({ revoked }) => revoked !== undefined)).toHaveLength(1);
    const third = run([ask("d", 220)], second.state);
    expect(third.state.talks.filter(({ revoked }) => revoked !== undefined)).toHaveLength(2);
    expect(run([release("a"), release("b")], third.state).talkers).toEqual(["d", "c"]);
  });

  it("revokes each talker at the end of their own time", () => {
    const half = CONFIG.talkLimit / 2;
    const media = (user: string, at: number) => ({ type: "media", user, at }) as const;
    const steps: (FloorEvent & { at?: number })[] = [...joined, ask("a")];
    for (let at = 1000; at <= half; at += 1000) steps.push(media("a", at));
    steps.push({ ...ask("b"), at: half });
    for (let at = half; at < CONFIG.talkLimit; at += 1000) steps.push(media("a", at), media("b", at));
    const before = run(steps);
    expect(before.talkers).toEqual(["a", "b"]);
    expect(floorDeadline(before.state, CONFIG)).toBe(CONFIG.talkLimit);
    const { state } = run([{ type: "time", at: CONFIG.talkLimit }], before.state);
    expect(state.talks.map(({ revoked }) => revoked !== undefined)).toEqual([true, false]);
  });

  it("never has more than two talkers, none of them queued, whatever comes", () => {
    const event = fc.oneof(
      fc.constantFrom(...USERS).chain((user) =>
        fc.oneof(
          fc.record({
            type: fc.constant("request" as const),
            user: fc.constant(user),
            priority: fc.nat(255),
          }),
          fc.constant(release(user)),
          fc.constant({ type: "media" as const, user }),
          fc.constant({ type: "leave" as const, user }),
          fc.constant({ type: "join" as const, participant: { id: user, maxPriority: 255 } }),
        ),
      ),
      fc.constant({ type: "time" as const }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(5000)), { maxLength: 60 }), (events) => {
        let state = EMPTY_FLOOR;
        let now = 0;
        for (const [one, wait] of events) {
          now += wait;
          ({ state } = floorStep(state, one, now, CONFIG));
          const talkers = state.talks.map(({ user }) => user);
          expect(talkers.length).toBeLessThanOrEqual(2);
          expect(new Set(talkers).size).toBe(talkers.length);
          expect(talkers.filter((user) => !state.participants.has(user))).toEqual([]);
          expect(state.queue.filter(({ user }) => talkers.includes(user))).toEqual([]);
          if (state.queue.length > 0) expect(talkers.length).toBe(2);
        }
      }),
    );
  });
});
